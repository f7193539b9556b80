// The frame of the page: which of its pages is shown, the tabs of the side, the sheet of a phone.

import { $, h, copy } from "./dom.js";
import { map } from "./map.js";
import { set, state, watch } from "./state.js";

const TABS = ["scenes", "filters", "stacks"];
const SHEETS = ["low", "half", "full"];
const FLICK_PX = 24;

/** Make the frame work. */
export function startFrame() {
  watch(["view"], show);
  watch(["tab"], tabs);
  for (const name of TABS) $(`tab-${name}`).addEventListener("click", () => chooseTab(name));
  document.querySelector(".tabs").addEventListener("keydown", tabKeys);
  for (const link of document.querySelectorAll(".views a")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      set({ view: link.dataset.view });
    });
  }
  for (const skip of document.querySelectorAll(".skip")) {
    skip.addEventListener("click", (event) => {
      event.preventDefault();
      set({ view: "map" });
      if (skip.dataset.skip === "map") map.getContainer().focus();
      else {
        chooseTab("scenes");
        ($("list").querySelector('.row-main[tabindex="0"]') || $("scenes")).focus();
      }
    });
  }
  $("share").addEventListener("click", () => copy(location.href, "Link copied"));
  sheet();
  show();
  tabs();
}

/** Show a tab of the side. */
export function chooseTab(name) {
  set({ tab: name, view: "map" }, { push: false });
  if (document.body.dataset.sheet === "low") document.body.dataset.sheet = "half";
}

function show() {
  const { view } = state();
  $("page-map").hidden = view !== "map";
  $("page-jobs").hidden = view !== "jobs";
  for (const link of document.querySelectorAll(".views a")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (view === "map") map.invalidateSize({ animate: false });
}

function tabs() {
  const { tab } = state();
  for (const name of TABS) {
    $(`tab-${name}`).setAttribute("aria-selected", String(name === tab));
    $(`tab-${name}`).tabIndex = name === tab ? 0 : -1;
    $(name).hidden = name !== tab;
  }
}

function tabKeys(event) {
  const at = TABS.indexOf(state().tab);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: TABS.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  chooseTab(TABS[(to + TABS.length) % TABS.length]);
  $(`tab-${state().tab}`).focus();
}

/** On a phone the side is a sheet in three heights: drag its grip, or tap it. */
function sheet() {
  const grip = $("grip");
  const body = document.body;
  body.dataset.sheet = "half";
  const put = (name) => {
    body.dataset.sheet = name;
    grip.setAttribute("aria-expanded", String(name !== "low"));
  };
  let start = null;
  grip.addEventListener("pointerdown", (event) => {
    start = event.clientY;
    grip.setPointerCapture(event.pointerId);
  });
  grip.addEventListener("pointerup", (event) => {
    if (start === null) return;
    const way = event.clientY - start;
    const at = SHEETS.indexOf(body.dataset.sheet);
    start = null;
    if (Math.abs(way) > FLICK_PX) put(SHEETS[Math.max(0, Math.min(2, at + (way < 0 ? 1 : -1)))]);
    else put(SHEETS[(at + 1) % 3]);
  });
  grip.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      put(SHEETS[(SHEETS.indexOf(body.dataset.sheet) + 1) % 3]);
    }
  });
  // A search is typed at the top: the sheet makes room for its answer.
  $("ask").addEventListener("focusin", () => body.dataset.sheet === "low" && put("half"));
}

/** The legend: passes, the way they are drawn, and the base map. */
export function legend(basemaps) {
  const line = (pass, words) => h("span.legend-line", {}, h(`i.line.line-${pass}`, { "aria-hidden": "true" }), words);
  const made = [line("A", "Ascending"), line("D", "Descending")];
  if (basemaps.length) {
    made.push(h("select.base-choice", { "aria-label": "Base map", onchange: (event) => set({ base: event.target.value }) },
      h("option", { value: "", selected: !state().base }, "Natural Earth"),
      basemaps.map((one) => h("option", { value: one.name, selected: state().base === one.name }, one.title))));
  }
  $("legend").replaceChildren(...made);
  watch(["base"], ({ base }) => {
    const choice = $("legend").querySelector("select");
    if (choice) choice.value = base;
  });
}
