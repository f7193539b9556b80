// The series of a place: what each date of a stack has there, as a plot beside the tables of dates
// and metrics, which show the same as numbers.

import { ask } from "./api.js";
import { $, announce, css, h } from "./dom.js";
import { showStackLayer } from "./layers.js";
import { map } from "./map.js";
import { set, state, watch } from "./state.js";

const { L, uPlot } = globalThis;
const PLOT_PX = 230;
const WINDOWS = [1, 3, 5, 7, 9, 11];
/** Colours and dashes: told apart without colours too. */
const LINES = { HH: ["--asc", []], HV: ["--desc", [7, 4]], VH: ["--good", [2, 3]], VV: ["--bad", [10, 3, 2, 3]] };

let plot = null;
let watcher = null;
let asking = null;
let known = null;
let marker = null;
let opened = () => null;
let onValues = () => {};

/** Make series work; `told()` is the stack whose page is open, `then` is called when values have come. */
export function startSeries(told, then) {
  opened = told;
  onValues = then;
  watch(["pt", "win"], () => opened() && renderSeries(opened()));
  watch(["pt"], () => markPlace(opened()));
  watch(["layers"], () => plot?.redraw(false));
  map.getContainer().addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target !== map.getContainer() || !opened()) return;
    const { lng, lat } = map.wrapLatLng(map.getCenter());
    set({ pt: `${lng.toFixed(5)},${lat.toFixed(5)}` });
  });
}

/** Values of the present place: dates by their names, metrics; null while there are none. */
export function seriesValues(id) {
  if (!known || known.id !== id || !known.inside) return null;
  return { dates: new Map(known.dates.map((one) => [one.name, one.values])), metrics: known.metrics };
}

/** Draw the plot again, in the colours of now. */
export const recolourSeries = () => plot?.redraw(false);

/** Put a mark on the map where the series is from. */
export function markPlace(told) {
  marker?.remove();
  marker = null;
  const place = placeOf(state().pt);
  if (!told || !place) return;
  const ring = (radius, className) => L.circleMarker([place.lat, place.lon], { radius, className, pane: "area", interactive: false });
  marker = L.layerGroup([ring(8, "series-halo"), ring(8, "series-ring"), ring(1.5, "series-dot")]).addTo(map);
}

function placeOf(text) {
  const [lon, lat] = (text || "").split(",").map(Number);
  return text && Number.isFinite(lon) && Number.isFinite(lat) ? { lon, lat } : null;
}

/** The series of the present place, into the page of a stack. */
export async function renderSeries(told) {
  const holder = $("series-body");
  if (!holder) return;
  if (!holder.querySelector("form")) holder.replaceChildren(form(), h("div", { id: "series-out" }));
  const place = placeOf(state().pt);
  const fields = holder.querySelector("form").elements;
  fields.place.value = place ? `${place.lon}, ${place.lat}` : "";
  fields.window.value = String(state().win);
  const out = $("series-out");
  asking?.abort();
  if (!place) {
    forget();
    out.replaceChildren(h("p.note", {}, "Click on the map for what each date has there, or type a place. On the map by keys: m, arrows, Enter."));
    return;
  }
  asking = new AbortController();
  const query = { lon: place.lon, lat: place.lat, window: state().win };
  try {
    const series = await ask(`api/stackproducts/${encodeURIComponent(told.id)}/series`, { query, signal: asking.signal });
    if (state().item !== told.id || !out.isConnected) return;
    known = series;
    show(series, out);
    onValues();
    reveal(holder.parentElement);
  } catch (error) {
    if (error.name === "AbortError") return;
    forget();
    out.replaceChildren(h("p.note.error", {}, error.message));
  }
}

/** Let the plot be seen, where it is not: a click on the map asks for it. */
function reveal(section) {
  const scroller = $("detail");
  const [seen, box] = [scroller.getBoundingClientRect(), section.getBoundingClientRect()];
  const head = scroller.querySelector(".detail-head")?.offsetHeight || 0;
  if (box.bottom > seen.bottom || box.top < seen.top + head) scroller.scrollTop += box.top - seen.top - head - 8;
}

function forget() {
  known = null;
  plot?.destroy();
  plot = null;
  onValues();
}

function form() {
  const window = h("select", { name: "window", "aria-label": "Mean over", onchange: (event) => set({ win: Number(event.target.value) }, { push: false }) },
    WINDOWS.map((px) => h("option", { value: px }, px === 1 ? "1 pixel" : `${px} × ${px}`)));
  return h("form.series-form", { onsubmit: (event) => {
    event.preventDefault();
    const words = event.target.elements.place.value.trim().split(/[\s,;]+/).map(Number);
    const good = words.length === 2 && Math.abs(words[0]) <= 180 && Math.abs(words[1]) <= 90;
    event.target.elements.place.setAttribute("aria-invalid", String(!good));
    if (good) set({ pt: words.join(",") });
  } },
  h("input", { type: "text", name: "place", placeholder: "Longitude, latitude", "aria-label": "Place: longitude, latitude in degrees", autocomplete: "off", spellcheck: false }),
  window, h("button", { type: "submit" }, "Show"));
}

function show(series, out) {
  plot?.destroy();
  plot = null;
  if (!series.inside) {
    out.replaceChildren(h("p.note", {}, "That place lies outside of the stack, or it has no data there."));
    announce("No data at this place");
    return;
  }
  const pols = series.polarizations.filter((pol) => series.dates.some((date) => number(date.values[pol]) !== null));
  const chart = h("div.stack-plot.series-plot", { role: "img", "aria-label": `Backscatter of ${series.dates.length} dates at this place, ${pols.join(" and ")}; the table of dates has the numbers.` });
  const said = h("p.series-said.num", { "aria-hidden": "true" }, summary(series, pols));
  const query = new URLSearchParams({ lon: series.lon, lat: series.lat, window: series.window });
  out.replaceChildren(chart, said,
    h("div.series-foot", {}, keys(series, pols),
      h("a.button", { href: `api/stackproducts/${encodeURIComponent(series.id)}/series.csv?${query}`, download: "" }, "CSV")),
    series.failures.length ? h("p.note.error", {}, series.failures.join(" ")) : "");
  if (series.dates.length) draw(chart, said, series, pols);
  else chart.remove();
  announce(`Series of ${series.dates.length} dates: ${summary(series, pols)}`);
}

const number = (value) => (value === undefined ? null : value);
const db = (value) => value.toFixed(1);

function summary(series, pols) {
  const mean = pols.filter((pol) => series.bands[pol]).map((pol) => `${pol} ${db(series.bands[pol].mean)} dB`);
  return mean.length ? `mean ${mean.join(", ")}` : "";
}

function keys(series, pols) {
  const line = (pol) => h("span.key", {}, h(`i.key-line.key-${pol}`, { "aria-hidden": "true" }), pol);
  const banded = pols.some((pol) => series.bands[pol]?.high);
  return h("p.keys-line", {}, pols.map(line),
    pols.some((pol) => series.bands[pol]) ? h("span.key", {}, h("i.key-line.key-mean", { "aria-hidden": "true" }), "mean") : null,
    series.metrics.median ? h("span.key", {}, h("i.key-line.key-median", { "aria-hidden": "true" }), "median") : null,
    banded ? h("span.key", {}, h("i.key-band", { "aria-hidden": "true" }), "± std") : null);
}

function draw(holder, said, series, pols) {
  const times = series.dates.map((date) => Date.parse(date.time) / 1000);
  const data = [times];
  const lines = [{}];
  const bands = [];
  const every = [];
  const add = (values, line) => {
    data.push(values);
    lines.push(line);
    return data.length - 1;
  };
  const flat = (value) => times.map(() => value);
  for (const pol of pols) every.push(...series.dates.map((date) => number(date.values[pol])).filter((one) => one !== null));
  for (const pol of pols) {
    const band = series.bands[pol];
    if (band) every.push(...[band.mean, band.high].filter((one) => one !== null));
  }
  const [low, high] = [Math.min(...every), Math.max(...every)];
  const room = Math.max(1, (high - low) * 0.08);
  const quiet = { points: { show: false }, stroke: "transparent", width: 1 };
  for (const pol of pols) {
    const [name] = LINES[pol] || LINES.HH;
    const band = series.bands[pol];
    // Where the deviation is larger than the mean, the band has no lower end.
    if (band?.high) bands.push({ series: [add(flat(band.high), quiet), add(flat(band.low ?? low - room), quiet)], fill: () => `${css(name)}1f` });
  }
  for (const pol of pols) {
    const [name] = LINES[pol] || LINES.HH;
    const stroke = () => css(name);
    const level = (value, dash, width) => number(value) !== null && value !== null && add(flat(value), { stroke, dash, width, points: { show: false } });
    level(series.bands[pol]?.mean, [5, 5], 1);
    level(series.metrics.median?.[pol], [1, 3], 1);
  }
  for (const pol of pols) {
    const [name, dash] = LINES[pol] || LINES.HH;
    add(series.dates.map((date) => number(date.values[pol])), { stroke: () => css(name), dash, width: 1.8, spanGaps: false, points: { show: true, size: 7, width: 1.5, fill: () => css("--panel"), stroke: () => css(name) } });
  }
  const axis = { stroke: () => css("--muted"), grid: { stroke: () => css("--line"), width: 1 }, ticks: { stroke: () => css("--line"), size: 4 }, font: "11px system-ui, sans-serif" };
  plot = new uPlot({
    width: holder.clientWidth || 360, height: PLOT_PX,
    cursor: { points: { size: 12 }, drag: { x: false, y: false } },
    legend: { show: false },
    scales: { x: { time: true, range: (_, a, b) => [a - (b - a) * 0.04 - 86400 * 3, b + (b - a) * 0.04 + 86400 * 3] }, y: { range: [low - room, high + room] } },
    axes: [{ ...axis, space: 56 }, { ...axis, label: "Backscatter [dB]", labelFont: "11px system-ui, sans-serif", labelSize: 18, size: 42 }],
    series: lines, bands,
    hooks: {
      draw: [(u) => shownDates(u, series)],
      setCursor: [(u) => {
        const date = series.dates[u.cursor.idx];
        said.textContent = date ? `${date.title}: ${pols.map((pol) => `${pol} ${number(date.values[pol]) === null ? "no data" : `${db(date.values[pol])} dB`}`).join(", ")}` : summary(series, pols);
      }],
    },
  }, data, holder);
  const over = holder.querySelector(".u-over");
  over.addEventListener("click", () => {
    const date = series.dates[plot.cursor.idx];
    if (date) showDate(series, date, pols, plot.posToVal(plot.cursor.top, "y"));
  });
  over.addEventListener("pointerleave", () => { said.textContent = summary(series, pols); });
  watcher?.disconnect();
  watcher = new ResizeObserver(() => plot && holder.isConnected && plot.setSize({ width: holder.clientWidth, height: PLOT_PX }));
  watcher.observe(holder);
}

/** Show a date as the present layer is shown: in colours, or the polarisation that was clicked. */
function showDate(series, date, pols, level) {
  const top = state().layers.find((one) => one.id === series.id)?.name;
  const there = pols.filter((pol) => number(date.values[pol]) !== null);
  const near = there.sort((a, b) => Math.abs(date.values[a] - level) - Math.abs(date.values[b] - level))[0];
  const colour = top === undefined || top.endsWith("-RGB");
  const name = `${date.name}-${colour && pols.length > 1 ? "RGB" : near || pols[0]}`;
  if (state().layers.some((one) => one.id === series.id && one.name === name)) return;
  showStackLayer(series.id, name);
}

/** A line at each date that the map shows now. */
function shownDates(u, series) {
  const shown = new Set(state().layers.filter((one) => one.id === series.id).map((one) => one.name.slice(0, one.name.lastIndexOf("-"))));
  const { ctx, bbox } = u;
  ctx.save();
  ctx.strokeStyle = css("--accent");
  ctx.lineWidth = 2 * (globalThis.devicePixelRatio || 1);
  for (const date of series.dates) {
    if (!shown.has(date.name)) continue;
    const x = Math.round(u.valToPos(Date.parse(date.time) / 1000, "x", true));
    ctx.globalAlpha = 0.45;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
