// The list of scenes: thousands of them, of which only those that can be seen are in the document.

import { thumbnail } from "./api.js";
import { dayOf, fitTo, found, hover, hoveredId, onFound, timeOf, PASS } from "./data.js";
import { $, h, icon } from "./dom.js";
import { showScene } from "./layers.js";
import { isStackId, stackDays, stackName } from "./stacklayers.js";
import { set, state, toggle, watch } from "./state.js";

const ROW_PX = 76;
const SPARE_ROWS = 6;
const NO_PICTURE = /_md$/;

let first = -1;
let last = -1;
let current = 0;

/** Make the list work. */
export function startList() {
  const scroller = $("list-scroll");
  scroller.addEventListener("scroll", () => render(false), { passive: true });
  new ResizeObserver(() => render(true)).observe(scroller);
  onFound("rows", () => {
    current = Math.max(0, found.rows.findIndex((row) => row.id === state().item));
    count();
    render(true);
    if (state().item) reveal(state().item);
  });
  onFound("hover", (id, from) => {
    mark();
    if (from === "map" && id) reveal(id);
  });
  watch(["item", "layers", "sel"], (_, changed) => {
    if (changed.has("item") && state().item) {
      const index = found.rows.findIndex((row) => row.id === state().item);
      if (index >= 0) current = index;
      reveal(state().item);
    }
    count();
    render(true);
  });
  $("list").addEventListener("keydown", keys);
  $("list").addEventListener("pointerover", (event) => hover(event.target.closest("li")?.dataset.id || "", "list"));
  $("list").addEventListener("pointerleave", () => hover("", "list"));
  $("list").addEventListener("focusin", (event) => hover(event.target.closest("li")?.dataset.id || "", "list"));
  $("select-all").addEventListener("change", selectAll);
}

/** Put the focus into the list. */
export function focusList() {
  focusRow(current);
}

function count() {
  const { rows, total, complete, failed } = found;
  const { sel } = state();
  $("count-scenes").textContent = total === null ? "" : total.toLocaleString("en");
  $("select-text").textContent = sel.length ? `${sel.length.toLocaleString("en")} selected` : "Select all";
  const box = $("select-all");
  box.checked = sel.length > 0 && sel.length >= rows.length;
  box.indeterminate = sel.length > 0 && !box.checked;
  box.disabled = !rows.length && !sel.length;
  $("download-list").disabled = !rows.length && !sel.length;
  const empty = $("list-empty");
  empty.hidden = rows.length > 0 && (complete || found.partial);
  if (failed) empty.textContent = failed;
  else if (!rows.length) empty.textContent = total === null ? "" : "No scene matches. Take a filter away, or widen the area or the dates.";
  else if (!complete) empty.textContent = `The newest ${rows.length.toLocaleString("en")} of ${total.toLocaleString("en")} are shown; narrow the search to see the others.`;
}

function selectAll(event) {
  set({ sel: event.target.checked ? found.rows.map((row) => row.id) : [] });
}

function render(anew) {
  const scroller = $("list-scroll");
  const list = $("list");
  const rows = found.rows;
  const from = Math.max(0, Math.floor(scroller.scrollTop / ROW_PX) - SPARE_ROWS);
  const to = Math.min(rows.length, Math.ceil((scroller.scrollTop + scroller.clientHeight) / ROW_PX) + SPARE_ROWS);
  if (!anew && from === first && to === last) return;
  [first, last] = [from, to];
  list.style.height = `${rows.length * ROW_PX}px`;
  const kept = new Map([...list.children].map((li) => [li.dataset.key, li]));
  const focus = document.activeElement?.closest?.("#list li")?.dataset.id;
  const held = document.activeElement?.dataset?.part;
  const wanted = [];
  const { item, layers, sel } = state();
  const selected = new Set(sel);
  const shown = new Set(layers.map((one) => one.id));
  for (let i = from; i < to; i += 1) {
    const row = rows[i];
    const key = `${found.generation}:${i}`;
    const li = kept.get(key) || rowOf(row, i, key);
    li.classList.toggle("current", row.id === item);
    li.querySelector(".row-main").setAttribute("aria-current", row.id === item ? "true" : "false");
    li.querySelector("input").checked = selected.has(row.id);
    li.querySelector(".row-show").setAttribute("aria-pressed", String(shown.has(row.id)));
    // One row takes part in the tab order, or nobody would ever get beyond the list.
    const isCurrent = i === current || ((current < from || current >= to) && i === from);
    for (const part of li.querySelectorAll("[data-part]")) part.tabIndex = isCurrent ? 0 : -1;
    wanted.push(li);
  }
  // What stays is not touched: it may have the focus, or the pointer above it.
  const staying = new Set(wanted);
  for (const li of [...list.children]) if (!staying.has(li)) li.remove();
  wanted.forEach((li, i) => list.children[i] !== li && list.insertBefore(li, list.children[i] || null));
  mark();
  if (focus && !list.contains(document.activeElement)) {
    wanted.find((li) => li.dataset.id === focus)?.querySelector(`[data-part="${held}"]`)?.focus({ preventScroll: true });
  }
}

function rowOf(row, index, key) {
  const hasPicture = !NO_PICTURE.test(row.kind || "");
  const picture = h("span.row-picture", {}, hasPicture
    ? h("img", { src: thumbnail(row.id), alt: "", loading: "lazy", decoding: "async", width: 60, height: 60, onerror: (event) => event.target.remove() })
    : h("span.row-none", {}, "metadata only"));
  const li = h("li.row", { "aria-setsize": found.rows.length, "aria-posinset": index + 1 },
    h("label.row-check", {}, h("input", { type: "checkbox", "aria-label": `Select ${row.id}`, "data-part": "check", onchange: () => toggle("sel", row.id) })),
    h("button.row-main", { type: "button", "data-part": "main", title: row.id, onclick: () => choose(row, index) },
      picture,
      h("span.row-text", {},
        ...(isStackId(row.id) ? stackLines(row) : sceneLines(row)))),
    h("button.icon.row-show", { type: "button", "data-part": "show", title: hasPicture ? "Show its picture on the map" : "There is no picture of it", disabled: !hasPicture, "aria-label": `Show the picture of ${row.id} on the map`, onclick: () => showScene(row.id) }, icon("layers")));
  li.dataset.id = row.id;
  li.dataset.key = key;
  li.style.top = `${index * ROW_PX}px`;
  return li;
}

const sceneLines = (row) => [
  h("span.row-title", {}, h("b.num", {}, dayOf(row)), h("span.muted.num", {}, timeOf(row))),
  h("span.row-line", {}, h("span", {}, `${row.mode || "?"} · ${row.pols || "–"} · L${row.level || "?"}`)),
  h("span.row-line", {}, passMark(row.pass), h("span.num", {}, `path ${row.path ?? "–"} · frame ${row.frame ?? "–"}`)),
];

const stackLines = (row) => [
  h("span.row-title", {}, h("b.num", {}, stackDays(row.id).join(" – "))),
  h("span.row-line", {}, h("span", {}, `${row.mode || "?"} · ${row.pols || "–"} · stack`)),
  h("span.row-line", {}, row.pass ? passMark(row.pass) : null, h("span.num", {}, stackName(row.id))),
];

/** The sign of a pass: an arrow up or down in its colour, with the line of its dash. */
export function passMark(pass) {
  return h(`span.pass.pass-${pass || "x"}`, { title: PASS[pass] || "pass unknown" },
    h("span", { "aria-hidden": "true" }, pass === "A" ? "↗" : pass === "D" ? "↙" : "·"), h("span", {}, pass === "A" ? "asc" : pass === "D" ? "desc" : "", h("span.hidden", {}, pass === "A" || pass === "D" ? "ending" : "pass unknown")));
}

function choose(row, index) {
  current = index;
  set({ item: row.id, stack: "" });
  fitTo(row);
}

function mark() {
  const id = hoveredId();
  for (const li of $("list").children) li.classList.toggle("pointed", li.dataset.id === id);
}

function reveal(id) {
  const index = found.rows.findIndex((row) => row.id === id);
  if (index < 0) return;
  const scroller = $("list-scroll");
  const top = index * ROW_PX;
  if (top < scroller.scrollTop) scroller.scrollTop = top - ROW_PX / 2;
  else if (top + ROW_PX > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top + 1.5 * ROW_PX - scroller.clientHeight;
}

function focusRow(index, part = "main") {
  const rows = found.rows;
  if (!rows.length) return;
  current = Math.max(0, Math.min(rows.length - 1, index));
  reveal(rows[current].id);
  render(true);
  const li = [...$("list").children].find((one) => one.dataset.id === rows[current].id);
  (li?.querySelector(`[data-part="${part}"]:not(:disabled)`) || li?.querySelector(".row-main"))?.focus({ preventScroll: true });
}

function keys(event) {
  const page = Math.max(1, Math.floor($("list-scroll").clientHeight / ROW_PX) - 1);
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
  const at = found.rows.findIndex((row) => row.id === event.target.closest("li")?.dataset.id);
  if (event.key === " " && event.target.matches(".row-main")) {
    event.preventDefault();
    toggle("sel", found.rows[at].id);
    return;
  }
  if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
    const parts = [...event.target.closest("li").querySelectorAll("[data-part]:not(:disabled)")];
    parts[parts.indexOf(event.target) + (event.key === "ArrowRight" ? 1 : -1)]?.focus();
    event.preventDefault();
    return;
  }
  if (!(event.key in steps)) return;
  event.preventDefault();
  const to = { Home: 0, End: found.rows.length - 1 }[event.key] ?? at + steps[event.key];
  focusRow(to, event.target.dataset.part);
}
