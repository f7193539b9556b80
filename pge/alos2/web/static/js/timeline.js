// Scenes by month, and a brush over them: drag, or move its two handles with the arrow keys.

import { found, onFound } from "./data.js";
import { $, counted, h, iconButton } from "./dom.js";
import { set, state, watch } from "./state.js";

const SVG = "http://www.w3.org/2000/svg";
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const LEAST_MONTHS = 12;
const HEIGHT_PX = 44;
const WIDEST_PX = 26;

let months = []; // Each: {key: "2020-01", count}
let dragging = null;

/** Make the timeline work. */
export function startTimeline() {
  onFound("facets", () => {
    months = filled(found.facets.month || {});
    render();
  });
  watch(["from", "to"], render);
  new ResizeObserver(render).observe($("timeline"));
}

/** All months from the first to the last, also those without a scene. */
function filled(counts) {
  const known = Object.keys(counts).sort();
  const { from, to } = state();
  for (const day of [from, to]) if (day) known.push(day.slice(0, 7));
  if (!known.length) return [];
  known.sort();
  let number = numberOf(known[0]);
  const end = Math.max(numberOf(known.at(-1)), number + LEAST_MONTHS - 1);
  const all = [];
  for (; number <= end; number += 1) all.push({ key: keyOf(number), count: counts[keyOf(number)] || 0 });
  return all;
}

const numberOf = (key) => Number(key.slice(0, 4)) * 12 + Number(key.slice(5, 7)) - 1;
const keyOf = (number) => `${Math.floor(number / 12)}-${String(number % 12 + 1).padStart(2, "0")}`;
const inWords = (key) => `${MONTHS[Number(key.slice(5, 7)) - 1]} ${key.slice(0, 4)}`;
const lastDay = (key) => `${key}-${new Date(Date.UTC(Number(key.slice(0, 4)), Number(key.slice(5, 7)), 0)).getUTCDate()}`;

/** The first and last month of the brush, as indices; null for no brush. */
function brushed() {
  const { from, to } = state();
  if (!from && !to) return null;
  const clip = (i) => Math.max(0, Math.min(months.length - 1, i));
  const first = numberOf(months[0].key);
  return [from ? clip(numberOf(from) - first) : 0, to ? clip(numberOf(to) - first) : months.length - 1];
}

function choose(first, last) {
  const [a, b] = [Math.min(first, last), Math.max(first, last)];
  const all = a === 0 && b === months.length - 1;
  set(all ? { from: "", to: "" } : { from: `${months[a].key}-01`, to: lastDay(months[b].key) });
}

function svg(tag, given, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(given)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  return made;
}

function render() {
  const holder = $("timeline");
  holder.hidden = !months.length;
  if (!months.length || dragging) return;
  const focus = document.activeElement?.dataset?.handle;
  const width = Math.max(120, holder.clientWidth - 24);
  const step = width / months.length;
  const most = Math.max(1, ...months.map((m) => m.count));
  const brush = brushed();
  const plot = svg("svg", { width, height: HEIGHT_PX + 16, class: "months", "aria-hidden": "true" });
  const band = svg("rect", { class: "band", y: 0, height: HEIGHT_PX });
  plot.append(band);
  months.forEach(({ key, count }, i) => {
    const high = count ? Math.max(3, count / most * (HEIGHT_PX - 4)) : 0;
    const within = !brush || (i >= brush[0] && i <= brush[1]);
    const wide = Math.min(WIDEST_PX, Math.max(1, step - Math.min(2, step * 0.2)));
    const bar = svg("rect", { x: i * step + (step - wide) / 2, width: wide, y: HEIGHT_PX - high, height: high, class: within ? "bar" : "bar off" });
    bar.append(svg("title", {}, `${inWords(key)}: ${counted(count, "scene")}`));
    plot.append(bar);
  });
  plot.append(svg("line", { x1: 0, x2: width, y1: HEIGHT_PX + 0.5, y2: HEIGHT_PX + 0.5, class: "axis" }));
  years(plot, step, width);
  const paint = (pair) => {
    band.setAttribute("x", pair ? pair[0] * step : 0);
    band.setAttribute("width", pair ? (pair[1] - pair[0] + 1) * step : 0);
  };
  paint(brush);
  brushWith(plot, step, paint);
  const handles = (brush || [0, months.length - 1]).map((index, which) => handle(which, index, step));
  const title = h("div.timeline-head", {}, h("h2.kick", {}, "By month"),
    h("span.muted.num", {}, brush ? `${inWords(months[brush[0]].key)} to ${inWords(months[brush[1]].key)}` : `${inWords(months[0].key)} to ${inWords(months.at(-1).key)}`),
    brush ? iconButton("close", "All dates", () => set({ from: "", to: "" })) : null);
  holder.replaceChildren(title, h("div.timeline-plot", {}, plot, ...handles));
  if (focus) holder.querySelector(`[data-handle="${focus}"]`)?.focus();
}

function years(plot, step, width) {
  let free = -Infinity;
  months.forEach(({ key }, i) => {
    if (!key.endsWith("-01") && i !== 0) return;
    const x = i * step;
    if (key.endsWith("-01")) plot.append(svg("line", { x1: x, x2: x, y1: HEIGHT_PX, y2: HEIGHT_PX + 5, class: "axis" }));
    if (x < free || x + 30 > width) return;
    plot.append(svg("text", { x: x + 3, y: HEIGHT_PX + 14 }, key.slice(0, 4)));
    free = x + 44;
  });
}

function brushWith(plot, step, paint) {
  const month = (event) => {
    const x = event.clientX - plot.getBoundingClientRect().left;
    return Math.max(0, Math.min(months.length - 1, Math.floor(x / step)));
  };
  plot.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    plot.setPointerCapture(event.pointerId);
    dragging = [month(event), month(event)];
    paint(dragging);
  });
  plot.addEventListener("pointermove", (event) => {
    if (!dragging) return;
    dragging[1] = month(event);
    paint([Math.min(...dragging), Math.max(...dragging)]);
  });
  const end = () => {
    if (!dragging) return;
    const [a, b] = dragging;
    dragging = null;
    choose(a, b);
    render();
  };
  plot.addEventListener("pointerup", end);
  plot.addEventListener("pointercancel", () => {
    dragging = null;
    render();
  });
}

function handle(which, index, step) {
  const isFirst = which === 0;
  const made = h("button.handle", {
    type: "button", role: "slider", "aria-label": isFirst ? "First month" : "Last month", "aria-valuemin": 0,
    "aria-valuemax": months.length - 1, "aria-valuenow": index, "aria-valuetext": inWords(months[index].key), "data-handle": isFirst ? "first" : "last",
  });
  made.style.left = `${(isFirst ? index : index + 1) * step}px`;
  const move = (to) => {
    const pair = brushed() || [0, months.length - 1];
    pair[which] = Math.max(isFirst ? 0 : pair[0], Math.min(isFirst ? pair[1] : months.length - 1, to));
    choose(...pair);
  };
  made.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -12, PageUp: 12, Home: -1e6, End: 1e6 }[event.key];
    if (!by) return;
    event.preventDefault();
    move(index + by);
  });
  made.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    made.focus();
    const left = made.parentElement.getBoundingClientRect().left;
    const at = (e) => Math.round((e.clientX - left) / step) - (isFirst ? 0 : 1);
    const moved = (e) => { made.style.left = `${Math.max(0, Math.min(months.length, at(e) + (isFirst ? 0 : 1))) * step}px`; };
    const ended = (e) => {
      removeEventListener("pointermove", moved);
      move(at(e));
      render();
    };
    addEventListener("pointermove", moved);
    addEventListener("pointerup", ended, { once: true });
  });
  return made;
}
