// The page of a finished stack: its pictures, its dates and metrics as layers of the map, two of
// them compared, the series of a place, how it was made, its files.

import { ask, product } from "./api.js";
import { LOOK, PASS, dayOf, found } from "./data.js";
import { $, bytes, copy, counted, h, iconButton } from "./dom.js";
import { downloadDialog } from "./download.js";
import { claimClicks } from "./footprints.js";
import { showLayers, showStackLayer } from "./layers.js";
import { passMark } from "./list.js";
import { fitGeometry } from "./map.js";
import { markPlace, renderSeries, seriesValues, startSeries } from "./series.js";
import { isStackId } from "./stacklayers.js";
import { linkTo, set, state, toggle, watch } from "./state.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");

let open = null;

/** Make finished stacks work. */
export function startProduct() {
  startSeries(() => open?.told || null, repaintValues);
  watch(["layers"], repaintButtons);
  watch(["item"], () => {
    if (state().item !== open?.told.id) open = null;
    markPlace(open?.told || null);
  });
  claimClicks((latlng) => {
    if (!open || !$("detail").contains(open.holder) || !isInside(open.told, latlng)) return false;
    set({ pt: `${latlng.lng.toFixed(5)},${latlng.lat.toFixed(5)}` });
    return true;
  });
}

/** Ask which finished stacks match a search. */
export const askProducts = (body) => ask("api/stackproducts", { body });

/** The page of a finished stack, into `holder`. */
export async function renderProduct(id, holder, close) {
  const told = await product(id);
  if (state().item !== id) return;
  const body = h("div.detail-body.product", {});
  open = { told, holder: body, tables: [], pair: null };
  body.append(...[
    actions(told), pictures(told),
    series(told), compare(told),
    layerTable(told, "Dates", "dates", told.dates.map((one) => ({ ...one, unit: "dB" }))),
    layerTable(told, "Metrics", "metrics", told.metrics),
    scenes(told), missing(told),
    ...told.groups.map(group), files(told), foot(told),
  ].filter(Boolean));
  holder.replaceChildren(
    h("header.detail-head", {},
      h("div", {}, h("p.kicker", {}, told.pass ? passMark(told.pass) : null, ` ${told.kind === "mosaic" ? "Mosaic" : "Stack"} · ${told.mode || ""} · ${told.polarizations.join(" ")}`),
        h("h2", {}, told.title),
        h("p.muted.num", {}, `${counted(told.dates.length, told.kind === "mosaic" ? "mosaic" : "date")}, ${(told.start || "").slice(0, 10)} to ${(told.end || "").slice(0, 10)}`),
        h("p.mono.break", {}, told.id)),
      iconButton("close", "Close (Escape)", close)),
    body);
  markPlace(told);
  renderSeries(told);
}

function isInside(told, { lng, lat }) {
  const [w, s, e, n] = told.bbox;
  const lon = ((lng + 180) % 360 + 360) % 360 - 180;
  return lat >= s && lat <= n && (w <= e ? lon >= w && lon <= e : lon >= w || lon <= e);
}

function actions(told) {
  const selected = state().sel.includes(told.id);
  return h("div.actions", { role: "group", "aria-label": "What to do with the stack" },
    h("button", { type: "button", onclick: () => fitGeometry(told.geometry) }, "Zoom to"),
    h("button", { type: "button", onclick: () => downloadDialog([told.id]) }, "Download …"),
    h("button", { type: "button", "aria-pressed": String(selected), onclick: (event) => {
      toggle("sel", told.id);
      event.currentTarget.setAttribute("aria-pressed", String(state().sel.includes(told.id)));
    } }, "Select"),
    h("button", { type: "button", onclick: () => copy(new URL(linkTo({}), location.href).href, "Link copied") }, "Link"));
}

const PICTURE = { animation: "All dates", pair: "First and last", blink: "In turn", overview: "Mean" };

/** One picture at a time; where nothing shall move, the mean comes first. */
function pictures(told) {
  const all = told.pictures;
  if (!all.length) return null;
  const image = h("img", {});
  const link = h("a.product-picture", { target: "_blank", rel: "noopener" }, image);
  const tabs = h("div.group", { role: "group", "aria-label": "Which picture" });
  const choose = (one) => {
    link.href = one.href;
    image.src = one.href;
    image.alt = `${told.title}: ${one.title.toLowerCase()}`;
    tabs.replaceChildren(...all.map((other) => h("button.small", { type: "button", "aria-pressed": String(other === one), onclick: () => {
      choose(other);
      tabs.querySelector('[aria-pressed="true"]').focus();
    } }, PICTURE[other.kind])));
  };
  const calm = all.find((one) => one.kind === "overview") || all.find((one) => one.kind === "pair");
  choose((still.matches && calm) || all[0]);
  return h("section.group", {}, link, all.length > 1 ? tabs : null);
}

function series(told) {
  return h("section.group.series", { id: "series", "aria-label": "Series of a place" },
    h("h3", {}, "Series of a place"), h("div.series-body", { id: "series-body" }));
}

/** Rows of layers: what, values of the place that was clicked, and a button for each layer. */
function layerTable(told, title, kind, rows) {
  if (!rows.length) return null;
  const shows = [...told.polarizations, "RGB"].filter((one) => rows.some((row) => row.layers[one]));
  const table = h("table.layer-table");
  const part = { table, kind, rows, shows, told };
  open.tables.push(part);
  paintTable(part);
  return h("section.group", {}, h("h3", {}, `${title} (${rows.length})`), h("div.wide", {}, table));
}

function paintTable({ table, kind, rows, shows, told }) {
  const values = seriesValues(told.id);
  const pols = values ? told.polarizations : [];
  const digits = (unit) => (unit === "dB" || unit.startsWith("dB") ? 1 : unit === "dates" ? 0 : 3);
  const number = (row, pol) => {
    const value = kind === "dates" ? values.dates.get(row.name)?.[pol] : values.metrics[row.name]?.[pol];
    return value === null || value === undefined ? h("span.muted", {}, "–") : value.toFixed(digits(row.unit));
  };
  table.replaceChildren(
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, kind === "dates" ? "Date" : "Metric"),
      pols.map((pol) => h("th.right", { scope: "col" }, kind === "dates" ? `${pol} [dB]` : pol)),
      h("th.right", { scope: "col" }, "On the map"))),
    h("tbody", {}, rows.map((row) => h("tr", { "data-what": row.name },
      h("th", { scope: "row" }, row.title, kind === "metrics" && row.unit ? h("span.muted", {}, ` ${row.unit}`) : null),
      pols.map((pol) => h("td.right.num", {}, number(row, pol))),
      h("td.right.nowrap", {}, h("div.show", {}, shows.map((one) => (row.layers[one] ? layerButton(told, row, one) : h("span.no-layer", { "aria-hidden": "true" })))))))));
}

function layerButton(told, row, shows) {
  const name = row.layers[shows];
  return h("button.small", {
    type: "button", "data-layer": name, "aria-pressed": String(isShown(told.id, name)), "aria-label": `${row.title} ${shows}, on the map`,
    onclick: () => {
      const first = !state().layers.some((one) => one.id === told.id);
      showStackLayer(told.id, name);
      if (first && !onScreen(told)) fitGeometry(told.geometry);
    },
  }, shows);
}

function onScreen(told) {
  const there = state().map;
  return there ? isInside(told, { lng: there.lon, lat: there.lat }) && there.zoom > 6 : false;
}

const isShown = (id, name) => state().layers.some((one) => one.id === id && one.name === name);

function repaintButtons() {
  if (!open) return;
  for (const button of open.holder.querySelectorAll("[data-layer]")) {
    button.setAttribute("aria-pressed", String(isShown(open.told.id, button.dataset.layer)));
  }
  const mine = state().layers.filter((one) => one.id === open.told.id);
  if (mine.length > 1) open.pair?.forEach((select, i) => { select.value = mine[i].name; });
}

function repaintValues() {
  if (!open) return;
  const focus = document.activeElement?.dataset?.layer;
  open.tables.forEach(paintTable);
  if (focus) open.holder.querySelector(`[data-layer="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
}

/** Two layers, whichever: dates, or a date and a metric. */
function compare(told) {
  if (told.layers.length < 2) return null;
  const of = (kind) => told.layers.filter((one) => one.kind === kind);
  const dates = of("date");
  const colour = dates.filter((one) => one.shows === "RGB");
  const usual = colour.length > 1 ? colour : dates.filter((one) => one.shows === told.polarizations[0]);
  const shown = state().layers.filter((one) => one.id === told.id).map((one) => one.name);
  const wanted = shown.length > 1 ? shown : usual.length > 1 ? [usual[0].name, usual.at(-1).name] : told.layers.slice(0, 2).map((one) => one.name);
  const select = (word, name) => h("select", { "aria-label": `Layer ${word}` },
    [["Dates", dates], ["Metrics", of("metric")]].filter(([, list]) => list.length).map(([label, list]) => h("optgroup", { label },
      list.map((one) => h("option", { value: one.name, selected: one.name === name }, one.title)))));
  const [a, b] = [select("A", wanted[0]), select("B", wanted[1])];
  open.pair = [a, b];
  const pair = (how) => {
    showLayers([a, b].map((one) => ({ id: told.id, name: one.value })), how);
    if (!onScreen(told)) fitGeometry(told.geometry);
  };
  return h("section.group.compare-pair", {}, h("h3", {}, "Compare"),
    h("div.pair-fields", {}, h("label", {}, h("span.ab", {}, "A"), a), h("label", {}, h("span.ab", {}, "B"), b)),
    h("div.pair", { role: "group", "aria-label": "Compare A with B" },
      h("button.primary", { type: "button", onclick: () => pair("swipe") }, "Swipe A | B"),
      h("button", { type: "button", onclick: () => pair("blink") }, "Blink A, B")));
}

/** The scenes that it was made of, as far as they are here. */
function scenes(told) {
  const links = told.dates.flatMap((date) => date.scenes.map((scene) => found.rows.find((row) => row.id.startsWith(scene)))).filter(Boolean);
  if (!told.stacks.length && !links.length) return null;
  return h("section.group", {}, h("h3", {}, "Made of"),
    told.stacks.map((one) => h("p", {}, h("button.plain", { type: "button", onclick: () => set({ stack: one.key, item: "" }) },
      `${counted(one.count, "scene")} of path ${one.path}, frame ${one.frame}, with their baselines`))),
    links.length ? h("details", {}, h("summary", {}, `${counted(links.length, "scene")} in this archive`),
      h("ul.scene-links", {}, links.map((row) => h("li", {}, h("button.plain.num", { type: "button", title: row.id, onclick: () => set({ item: row.id }) }, `${dayOf(row)} ${row.mode || ""}`))))) : null);
}

function missing(told) {
  if (!told.without.length) return null;
  return h("div.warning", {}, h("h3", {}, "Left out"), h("p", {}, `${counted(told.without.length, "acquisition")} could not be made ready: ${told.without.join(", ")}.`));
}

const OPEN = ["Stack", "Grid"];

function group({ name, rows }) {
  const facts = h("dl.facts", {}, rows.map(([label, value, unit]) => [h("dt", {}, label), h("dd", {}, valueOf(value, unit))]));
  return OPEN.includes(name) ? h("section.group", {}, h("h3", {}, name), facts)
    : h("details.group", {}, h("summary", {}, h("h3", {}, name)), facts);
}

function valueOf(value, unit) {
  if (unit === "UTC") return h("span.num", {}, `${value.slice(0, 19).replace("T", " ")} `, h("span.muted", {}, "UTC"));
  return h("span.num.break", {}, value, unit ? [unit === "°" ? "" : " ", h("span.muted", {}, unit)] : null);
}

function files(told) {
  const total = told.files.reduce((sum, one) => sum + (one.size || 0), 0);
  const sum = (one) => (one.sha256 ? h("button.plain.mono.sum", { type: "button", title: `${one.sha256} – copy`, "aria-label": `SHA-256 ${one.sha256}, copy`, onclick: () => copy(one.sha256, "SHA-256 copied") }, `${one.sha256.slice(0, 8)}…`) : h("span.muted", {}, "–"));
  return h("details.group", {}, h("summary", {}, h("h3", {}, `Files (${told.files.length}, ${bytes(total)})`)),
    h("table.files", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "File"), h("th.right", { scope: "col" }, "Size"), h("th", { scope: "col" }, "SHA-256"))),
      h("tbody", {}, told.files.map((one) => h("tr", {},
        h("td", {}, h("a.break", { href: one.href, download: one.name.split("/").pop() }, one.name.replace(told.id, "…")), one.title ? h("div.muted", {}, one.title) : null),
        h("td.right.num.nowrap", {}, bytes(one.size)), h("td", {}, sum(one)))))));
}

function foot(told) {
  const at = found.rows.findIndex((row) => row.id === told.id);
  const go = (row, text) => (row ? h("button.small", { type: "button", onclick: () => set({ item: row.id }) }, `${text} ${dayOf(row)} ${PASS[row.pass] ? row.mode : ""}`) : null);
  return h("footer.detail-foot", {}, h("p", {}, h("a", { href: told.stac, target: "_blank", rel: "noopener" }, "STAC item (JSON)")),
    at < 0 ? null : h("div.actions", {}, go(found.rows[at - 1], "←"), go(found.rows[at + 1], "→")));
}

/** A finished stack in the list of stacks. */
export function productRow(one, onclick) {
  const words = `${one.mode || "?"} · ${one.polarizations.join(" ")}${one.look ? ` · looks ${LOOK[one.look]}` : ""}`;
  return h("li", {}, h("button.stack-row.product-row", { type: "button", "data-id": one.id, "aria-current": String(state().item === one.id), title: one.id, onclick },
    h("span.row-picture", {}, h("img", { src: one.thumbnail, alt: "", loading: "lazy", decoding: "async", width: 60, height: 60, onerror: (event) => event.target.remove() })),
    h("span.row-text", {},
      h("span.row-title", {}, h("b", {}, one.title)),
      h("span.row-line", {}, one.pass ? passMark(one.pass) : null, h("span", {}, words)),
      h("span.row-line.muted.num", {}, `${counted(one.dates, one.kind === "mosaic" ? "scene" : "date")}, ${(one.start || "").slice(0, 10)} to ${(one.end || "").slice(0, 10)}`),
      h("span.row-line.muted", {}, h("span", {}, one.metrics.length ? one.metrics.join(", ") : "no metrics")))));
}
