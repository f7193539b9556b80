// Stacks: scenes of one track that can be compared. Their list, and the page of one: how far apart
// the passes were in time and across the line of sight.

import { ask, searchOf } from "./api.js";
import { LOOK, PASS, found, hover, onFound } from "./data.js";
import { $, css, h, iconButton } from "./dom.js";
import { passMark } from "./list.js";
import { showPair, showScene } from "./layers.js";
import { fit } from "./map.js";
import { boxOf } from "./data.js";
import { askProducts, productRow } from "./product.js";
import { isStackId, stackDays, stackName } from "./stacklayers.js";
import { SEARCH, set, state, watch } from "./state.js";

const uPlot = globalThis.uPlot;
const PLOT_PX = 250;
const FLAT_PX = 110; // Where no baseline is known, only time is left.

let plot = null;
let asked = "";

/** Make stacks work. */
export function startStacks() {
  onFound("rows", listSoon);
  watch(["tab", ...SEARCH], listSoon);
  watch(["item", "stack"], markRow);
}

async function listSoon() {
  const search = JSON.stringify(searchOf(state()));
  if (found.total === null || found.partial || asked === `${search}${found.generation}`) return;
  // The number on the tab is worth a question, but not before the scenes themselves are there.
  asked = `${search}${found.generation}`;
  try {
    const body = JSON.parse(search);
    const [{ stacks, complete }, { products, failed }] = await Promise.all([ask("api/stacks", { body }), askProducts(body).catch((error) => ({ products: [], failed: error.message }))]);
    $("count-stacks").textContent = stacks.length + products.length || "";
    renderList(stacks, complete, products);
    if (failed) $("stacks").prepend(h("p.empty", {}, `Finished stacks: ${failed}`));
  } catch (error) {
    $("stacks").replaceChildren(h("p.empty", {}, error.message));
  }
}

function renderList(stacks, complete, products) {
  if (!stacks.length && !products.length) {
    $("stacks").replaceChildren(h("p.empty", {}, "No two scenes that are found can be compared: same path, frame, mode, look and angle."));
    return;
  }
  const finished = new Map(products.flatMap((one) => one.keys.map((key) => [key, one])));
  const heading = (text) => (products.length && stacks.length ? h("h3.stack-heading", {}, text) : null);
  $("stacks").replaceChildren(...[
    heading("Finished stacks"),
    products.length ? h("ul.stack-list", { role: "list", "aria-label": "Finished stacks" }, products.map((one) => productRow(one, () => openProduct(one)))) : null,
    heading("Scenes that can be compared"),
    stacks.length ? h("ul.stack-list.scene-stacks", { role: "list", "aria-label": "Scenes that can be compared" }, stacks.map((one) => h("li", {},
      h("button.stack-row", { type: "button", "data-key": one.key, "aria-current": String(state().stack === one.key), onclick: () => set({ stack: one.key, item: "" }) },
        h("span.stack-count.num", {}, one.count, h("small", {}, "scenes")),
        h("span.row-text", {},
          h("span.row-title", {}, h("b", {}, `Path ${one.path ?? "–"} · frame ${one.frame ?? "–"}`)),
          h("span.row-line", {}, passMark(one.pass), h("span", {}, `${one.mode || "?"} · looks ${LOOK[one.look] || "?"}${one.beams.length ? ` · beams ${one.beams.join(" ")}` : ""}${one.off_nadir_deg === null ? "" : ` · ${one.off_nadir_deg.toFixed(1)}°`}`)),
          h("span.row-line.muted.num", {}, `${one.start.slice(0, 10)} to ${one.end.slice(0, 10)}`, finished.has(one.key) ? h("span.badge.done", {}, "finished") : null)))))) : null,
    complete ? null : h("p.empty", {}, "Only the newest scenes were looked through; narrow the search to see all stacks.")].filter(Boolean));
}

async function openProduct(one) {
  set({ item: one.id, stack: "" });
  const [w, s, e, n] = one.bbox;
  fit([w, s, e < w ? e + 360 : e, n]);
  if (!state().layers.some((layer) => layer.id === one.id)) await showScene(one.id);
}

/** Say which row of the list is open. */
function markRow() {
  const { item, stack } = state();
  for (const row of $("stacks").querySelectorAll(".stack-row")) row.setAttribute("aria-current", String(Boolean(row.dataset.id ? row.dataset.id === item : row.dataset.key === stack)));
}

/** The page of a stack, into `holder`. */
export async function renderStack(key, holder, close) {
  const told = await ask(`api/stacks/${encodeURIComponent(key)}`);
  if (state().stack !== key) return;
  const scenes = told.scenes.map((scene, index) => ({ ...scene, index, id: shownDataset(scene) }));
  const without = scenes.filter((one) => one.perpendicular_m === null);
  const pick = { a: scenes[0]?.id, b: scenes.at(-1)?.id };
  const chart = h("div.stack-plot", { role: "img", "aria-label": `Perpendicular baseline over time of ${scenes.length} scenes; the table below has the numbers.` });
  holder.replaceChildren(
    h("header.detail-head", {}, h("div", {}, h("p.kicker", {}, "Stack"), h("h2", {}, `Path ${told.path ?? "–"} · frame ${told.frame ?? "–"}`),
      h("p.muted", {}, `${told.mode || "?"}, ${PASS[told.pass] || "?"}, looks ${LOOK[told.look] || "?"}${told.off_nadir_deg === null ? "" : `, ${told.off_nadir_deg.toFixed(1)}° off nadir`}, ${scenes.length} scenes`)),
    iconButton("close", "Close", close)),
    h("div.detail-body", {},
      finishedLinks(told.products),
      chart,
      without.length ? h("p.note", {}, `${without.length === scenes.length ? "None" : without.length} of ${scenes.length} scenes ${without.length === scenes.length ? "has" : without.length === 1 ? "has no" : "have no"} ${without.length === scenes.length ? "a" : ""} perpendicular baseline: ${[...new Set(without.map((one) => one.reason).filter(Boolean))].join("; ")}.`.replace(/\s+/g, " ")) : null,
      h("div.pair", { role: "group", "aria-label": "Compare A with B" },
        h("button.primary", { type: "button", onclick: () => pair(pick, "swipe") }, "Swipe A | B"),
        h("button", { type: "button", onclick: () => pair(pick, "blink") }, "Blink A, B"),
        h("button", { type: "button", onclick: () => set({ sel: scenes.flatMap((one) => one.datasets) }) }, "Select all")),
      table(scenes, pick, told.reference)));
  draw(chart, scenes, told.reference);
  const rows = scenes.map((one) => found.byId.get(one.id)).filter(Boolean).map(boxOf);
  if (rows.length && !state().layers.length) fit(rows[0]);
}

/** Finished stacks that were made of these scenes. */
function finishedLinks(ids) {
  const known = (ids || []).filter(isStackId);
  if (!known.length) return null;
  return h("section.group", {}, h("h3", {}, known.length === 1 ? "Finished stack" : "Finished stacks"),
    known.map((id) => h("p", {}, h("button.plain.num", { type: "button", title: id, onclick: () => set({ item: id, stack: "" }) }, `${stackName(id)}, ${stackDays(id).join(" to ")}`))));
}

/** Of a scene's datasets the one that has pictures, as far as the list knows. */
function shownDataset(scene) {
  return scene.datasets.find((id) => !id.endsWith("-md")) || scene.datasets[0];
}

async function pair({ a, b }, how) {
  await showPair(a, b, how);
  const row = found.byId.get(a);
  if (row) fit(boxOf(row));
}

function table(scenes, pick, reference) {
  const radio = (name, scene, word) => h("input", { type: "radio", name: `pair-${name}`, checked: pick[name] === scene.id, "aria-label": `${scene.datetime.slice(0, 10)} as ${word}`, onchange: () => { pick[name] = scene.id; } });
  return h("table.stack-table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "A"), h("th", { scope: "col" }, "B"), h("th", { scope: "col" }, "Scene"), h("th.right", { scope: "col" }, "Days"), h("th.right", { scope: "col" }, "B", h("sub", {}, "⊥"), " [m]"))),
    h("tbody", {}, scenes.map((scene) => h("tr", { onpointerenter: () => hover(scene.id, "stack"), onpointerleave: () => hover("", "stack") },
      h("td", {}, radio("a", scene, "A")), h("td", {}, radio("b", scene, "B")),
      h("td", {}, h("button.plain.num", { type: "button", title: scene.id, onclick: () => set({ item: scene.id, stack: "" }) }, scene.datetime.slice(0, 10)), scene.scene === reference ? h("small.muted", {}, " reference") : null),
      h("td.right.num", {}, Math.round(scene.days).toLocaleString("en")),
      h("td.right.num", { title: scene.reason || "" }, scene.perpendicular_m === null ? h("span.muted", {}, "unknown") : scene.perpendicular_m.toFixed(1))))));
}

function draw(holder, scenes, reference) {
  plot?.destroy();
  plot = null;
  const known = scenes.filter((one) => one.perpendicular_m !== null);
  if (!holder.isConnected) return;
  const high_px = known.length ? PLOT_PX : FLAT_PX;
  const times = scenes.map((one) => Date.parse(one.datetime) / 1000);
  const metres = known.map((one) => one.perpendicular_m);
  const [low, high] = metres.length ? [Math.min(0, ...metres), Math.max(0, ...metres)] : [-1, 1];
  const room = Math.max(20, (high - low) * 0.12);
  const floor = low - room * (known.length < scenes.length ? 1.8 : 1);
  const axis = { stroke: () => css("--muted"), grid: { stroke: () => css("--line"), width: 1 }, ticks: { stroke: () => css("--line"), size: 4 }, font: "11px system-ui, sans-serif" };
  const points = (fill) => ({ show: true, size: 9, width: 1.8, fill: () => css(fill), stroke: () => css("--accent") });
  plot = new uPlot({
    width: holder.clientWidth || 360, height: high_px,
    cursor: { points: { size: 14 }, drag: { x: false, y: false } },
    legend: { show: false },
    scales: { x: { time: true, range: (_, a, b) => [a - (b - a) * 0.04 - 86400 * 5, b + (b - a) * 0.04 + 86400 * 5] }, y: { range: [floor, high + room] } },
    axes: [{ ...axis, space: 56 }, { ...axis, label: "Perpendicular baseline [m]", labelFont: "11px system-ui, sans-serif", labelSize: 18, size: 46, show: known.length > 0 }],
    series: [{},
      { label: "with an orbit", paths: () => null, points: points("--accent") },
      { label: "no orbit", paths: () => null, points: points("--panel") },
      { label: "reference", paths: () => null, points: { ...points("--desc"), stroke: () => css("--desc"), size: 11 } }],
  }, [times,
    scenes.map((one) => (one.scene === reference ? null : one.perpendicular_m)),
    scenes.map((one) => (one.perpendicular_m === null ? floor + room * 0.5 : null)),
    scenes.map((one) => (one.scene === reference && one.perpendicular_m !== null ? one.perpendicular_m : null))], holder);
  const over = holder.querySelector(".u-over");
  over.addEventListener("click", () => {
    const scene = scenes[plot.cursor.idx];
    if (scene) set({ item: scene.id, stack: "" });
  });
  over.addEventListener("pointermove", () => hover(scenes[plot.cursor.idx]?.id || "", "stack"));
  over.addEventListener("pointerleave", () => hover("", "stack"));
  new ResizeObserver(() => plot && holder.isConnected && plot.setSize({ width: holder.clientWidth, height: high_px })).observe(holder);
}

/** Draw the plot again, in the colours of now. */
export const recolourStack = () => plot?.redraw();
