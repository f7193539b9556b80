// Two pictures of one place: side by side with a line to be moved, or one after the other.

import { layerName } from "./data.js";
import { $, h, icon } from "./dom.js";
import { map } from "./map.js";
import { set, state, watch } from "./state.js";

const BLINK_MS = 900;

let timer = 0;
let front = 0;
let paused = matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Make comparing work. */
export function startCompare() {
  watch(["how", "at", "layers"], place);
  map.on("move zoomend resize", clip);
  map.on("zoomanim", clip);
  $("swipe-at").addEventListener("input", (event) => set({ at: event.target.value / 10 }, { push: false }));
  const line = $("swipe").querySelector(".swipe-line");
  line.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    line.setPointerCapture(event.pointerId);
    const moved = (move) => {
      const box = map.getContainer().getBoundingClientRect();
      const at = Math.max(0, Math.min(100, ((move.clientX - box.left) / box.width) * 100));
      set({ at: Math.round(at * 10) / 10 }, { push: false });
    };
    line.addEventListener("pointermove", moved);
    line.addEventListener("pointerup", () => line.removeEventListener("pointermove", moved), { once: true });
  });
}

/** Buttons for the panel of pictures; null where there are not two. */
export function compareControls() {
  const { layers, how } = state();
  if (layers.length < 2) return null;
  const button = (which, text) => h("button.small", {
    type: "button", "aria-pressed": String(how === which), "data-key": `how ${which}`,
    onclick: () => set({ how: how === which ? "" : which, at: 50 }),
  }, text);
  const pause = how === "blink" ? h("button.icon", {
    type: "button", "data-key": "pause", title: paused ? "Go on (space)" : "Stop (space)", "aria-label": paused ? "Go on blinking" : "Stop blinking",
    onclick: (event) => {
      pauseBlink();
      event.currentTarget.replaceChildren(icon(paused ? "play" : "pause"));
      event.currentTarget.setAttribute("aria-label", paused ? "Go on blinking" : "Stop blinking");
    },
  }, icon(paused ? "play" : "pause")) : null;
  return h("div.compare", { role: "group", "aria-label": "Compare the two upper pictures" }, button("swipe", "Swipe"), button("blink", "Blink"), pause);
}

/** Stop blinking, or go on. */
export function pauseBlink() {
  paused = !paused;
  place();
}

/** Show the other of the two now. */
export function blinkOnce() {
  front = 1 - front;
  showFront();
}

/** Bring panes, line and clock to what the state says. */
export function place() {
  const { how, at, layers } = state();
  const both = layers.length >= 2;
  const swipes = how === "swipe" && both;
  $("swipe").hidden = !swipes;
  if (swipes) {
    $("swipe").style.setProperty("--at", `${at}%`);
    $("swipe-at").value = at * 10;
    $("swipe-at").setAttribute("aria-valuetext", `${Math.round(at)} percent from the left`);
    $("swipe-left").textContent = layerName(layers[0]);
    $("swipe-right").textContent = layerName(layers[1]);
  }
  clearInterval(timer);
  if (how === "blink" && both) {
    if (!paused) timer = setInterval(blinkOnce, BLINK_MS);
    showFront();
  } else {
    for (const pane of ["tiles-a", "tiles-b"]) map.getPane(pane).style.visibility = "";
    document.querySelectorAll(".ab.front").forEach((one) => one.classList.remove("front"));
  }
  clip();
}

function showFront() {
  map.getPane("tiles-a").style.visibility = front === 0 ? "" : "hidden";
  map.getPane("tiles-b").style.visibility = front === 1 ? "" : "hidden";
  document.querySelectorAll(".layers-list .ab").forEach((mark, i) => mark.classList.toggle("front", i === front));
}

/** Cut the two panes at the line; they move with the map, so their corners are told in its pixels. */
function clip() {
  const { how, at, layers } = state();
  const [a, b] = ["tiles-a", "tiles-b"].map((pane) => map.getPane(pane));
  if (how !== "swipe" || layers.length < 2) {
    for (const pane of [a, b]) pane.style.clipPath = "";
    return;
  }
  const size = map.getSize();
  const corner = map.containerPointToLayerPoint([0, 0]);
  const middle = corner.x + (size.x * at) / 100;
  const [top, bottom] = [corner.y - size.y, corner.y + 2 * size.y];
  const box = (left, right) => `polygon(${left}px ${top}px, ${right}px ${top}px, ${right}px ${bottom}px, ${left}px ${bottom}px)`;
  a.style.clipPath = box(corner.x - size.x, middle);
  b.style.clipPath = box(middle, corner.x + 2 * size.x);
}
