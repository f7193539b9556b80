// Pictures on the map: tiles of scenes, one upon the other, each with a layer and an opacity.

import { item, product } from "./api.js";
import { compareControls, place as placeCompared } from "./compare.js";
import { layerName, onFound, shortName } from "./data.js";
import { $, h, icon, iconButton, toast } from "./dom.js";
import { fit, map } from "./map.js";
import { isStackId } from "./stacklayers.js";
import { set, state, watch } from "./state.js";

const L = globalThis.L;
const MOST = 8;

let folded = matchMedia("(max-width: 760px)").matches;

/** On the map: by id and name of the layer, {group, pane}. */
const onMap = new Map();
/** Facts of layers by id of the scene, once they are known. */
const known = new Map();

/** Make pictures appear as the state says. */
export function startLayers() {
  watch(["layers", "how"], update);
  onFound("rows", update);
  update();
}

/** Show a scene's picture, or take it away if it is shown. */
export async function showScene(id, name = "", { only = false } = {}) {
  const { layers } = state();
  if (!only && !name && layers.some((one) => one.id === id)) {
    hideScene(id);
    return;
  }
  const all = await layersOf(id);
  if (!all.length) {
    toast("There are no tiles of this scene.", "error");
    return;
  }
  const wanted = name || preferred(all, layers[0]?.name);
  const others = only ? [] : layers.filter((one) => one.id !== id);
  const opacity = layers.find((one) => one.id === id)?.opacity ?? 100;
  set({ layers: [{ id, name: wanted, opacity }, ...others].slice(0, MOST) });
}

/** Show exactly two scenes, to be compared. */
export async function showPair(a, b, how) {
  const name = state().layers[0]?.name;
  const made = [];
  for (const id of [a, b]) {
    const all = await layersOf(id);
    if (!all.length) {
      toast("One of the two has no tiles.", "error");
      return;
    }
    made.push({ id, name: preferred(all, made[0]?.name || name), opacity: 100 });
  }
  set({ layers: made, how, at: 50 });
}

/** Show a layer of a finished stack, in the place of the one of it that is on top; or take it away. */
export function showStackLayer(id, name) {
  const { layers, how } = state();
  const rest = layers.filter((one) => one.id !== id || one.name !== name);
  if (rest.length < layers.length) {
    set({ layers: rest, how: rest.length < 2 ? "" : how });
    return;
  }
  const at = layers.findIndex((one) => one.id === id);
  if (at < 0) set({ layers: [{ id, name, opacity: 100 }, ...layers].slice(0, MOST) });
  else set({ layers: layers.map((one, i) => (i === at ? { ...one, name } : one)) });
}

/** Show exactly these layers, {id, name}, compared. */
export function showLayers(wanted, how) {
  set({ layers: wanted.map((one) => ({ ...one, opacity: 100 })), how, at: 50 });
}

/** Take a scene's picture away. */
export const hideScene = (id) => hide((one) => one.id === id);

function hide(isOne) {
  const layers = state().layers.filter((one) => !isOne(one));
  set({ layers, how: layers.length < 2 ? "" : state().how });
}

/** The picture on top, as {id, name}; null if there is none. */
export const topLayer = () => state().layers[0] || null;

/** Layers of tiles that a scene has. */
export async function layersOf(id) {
  if (!known.has(id)) {
    try {
      known.set(id, (await (isStackId(id) ? product(id) : item(id))).layers || []);
    } catch (error) {
      toast(error.message, "error");
      return [];
    }
  }
  return known.get(id);
}

const preferred = (all, name) => (all.find((one) => one.name === name)
  || all.find((one) => one.name === "RGB") || all[0]).name;

async function update() {
  const wanted = state().layers;
  const facts = await Promise.all(wanted.map((one) => layersOf(one.id)));
  if (wanted !== state().layers) return; // Something newer is on its way.
  const keys = new Set();
  wanted.forEach(({ id, name, opacity }, index) => {
    const layer = facts[index].find((one) => one.name === name) || facts[index][0];
    if (!layer) return;
    const key = `${id} ${layer.name} ${paneOf(index)}`;
    keys.add(key);
    let there = onMap.get(key);
    if (!there) {
      there = tilesOf(layer, paneOf(index));
      there.group.addTo(map);
      onMap.set(key, there);
    }
    there.tiles.forEach((one) => one.setOpacity(opacity / 100).setZIndex(MOST - index));
  });
  for (const [key, { group }] of onMap) {
    if (keys.has(key)) continue;
    group.remove();
    onMap.delete(key);
  }
  panel(facts);
  placeCompared();
}

const paneOf = (index) => (state().how && index < 2 ? ["tiles-a", "tiles-b"][index] : "tiles");

function tilesOf(layer, pane) {
  const [w, s, e, n] = layer.bounds || [-180, -85, 180, 85];
  // Across the antimeridian the same tiles are seen on both sides of the map.
  const boxes = e < w ? [[w, s, e + 360, n], [w - 360, s, e, n]] : [[w, s, e, n]];
  const tiles = boxes.map(([west, south, east, north]) => L.tileLayer(layer.url, {
    pane, tms: layer.scheme === "tms", minZoom: 0, maxZoom: 20, minNativeZoom: layer.min_zoom, maxNativeZoom: layer.max_zoom,
    bounds: [[south, west], [north, east]], className: "scene-tile", updateWhenZooming: false,
  }));
  return { group: L.layerGroup(tiles), tiles };
}

function panel(facts) {
  const { layers, how } = state();
  const holder = $("layers");
  holder.hidden = !layers.length;
  const focus = document.activeElement?.dataset?.key;
  const rows = layers.map((one, index) => row(one, index, facts[index], layers.length, how));
  holder.replaceChildren(
    h("div.layers-head", {},
      h("button.layers-fold", { type: "button", "aria-expanded": String(!folded), "aria-controls": "layers-list", "data-key": "fold", onclick: fold }, h("span.kick", {}, `Pictures (${layers.length})`)),
      compareControls(),
      iconButton("close", "Take all pictures away", () => set({ layers: [], how: "" }))),
    h("ol.layers-list", { id: "layers-list", role: "list", hidden: folded }, rows),
  );
  if (focus) holder.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
}

/** On a phone the list of pictures would hide the map. */
function fold() {
  folded = !folded;
  update();
}

function row(one, index, all, count, how) {
  const ofStack = isStackId(one.id);
  const title = ofStack ? layerName(one) : shortName(one.id);
  // Of a stack there may be several layers at once, of a scene there is one.
  const key = ofStack ? `${one.id} ${one.name}` : one.id;
  const isOne = (other) => other.id === one.id && (!ofStack || other.name === one.name);
  const layer = all.find((known) => known.name === one.name);
  const change = (patch, push) => set({ layers: state().layers.map((other) => (isOne(other) ? { ...other, ...patch } : other)) }, { push });
  const label = `${title}, opacity in percent`;
  return h("li", {},
    h("div.layers-title", {},
      how && index < 2 ? h("span.ab", {}, index === 0 ? "A" : "B") : null,
      h("button.plain.layers-name", { type: "button", title: one.id, onclick: () => set({ item: one.id, stack: "" }) }, shortName(one.id)),
      h("select.layers-choice", { "aria-label": `Layer of ${shortName(one.id)}`, "data-key": `layer ${ofStack ? index : one.id}`, onchange: (event) => change({ name: event.target.value }) }, choices(all, one.name)),
      iconButton("target", `Zoom to ${title}`, () => zoomTo(one.id, layer)),
      count > 1 && index > 0 ? h("button.icon", { type: "button", title: "To the top", "aria-label": `${title} to the top`, "data-key": `up ${key}`, onclick: () => toTop(isOne) }, icon("swap")) : null,
      iconButton("close", `Take ${title} away`, () => hide(isOne))),
    h("div.layers-opacity", {},
      h("input", { type: "range", min: 0, max: 100, step: 1, value: one.opacity, "aria-label": label, "data-key": `opacity ${key}`, oninput: (event) => change({ opacity: Number(event.target.value) }, false) }),
      h("span.num.muted", {}, `${one.opacity} %`)),
    stretch(layer));
}

/** Options of a scene's layers, or of a stack's dates and metrics. */
function choices(all, chosen) {
  const option = (known) => h("option", { value: known.name, selected: known.name === chosen }, known.title || known.name);
  if (!all.some((known) => known.kind)) return all.map(option);
  return [["Dates", "date"], ["Metrics", "metric"]].map(([label, kind]) => {
    const list = all.filter((known) => known.kind === kind);
    return list.length ? h("optgroup", { label }, list.map(option)) : null;
  });
}

/** The colours of a metric, with its values. */
function bar({ low, high, unit, colours, ticks, title }) {
  const ramp = h("span.legend-ramp", { "aria-hidden": "true" });
  ramp.style.background = `linear-gradient(90deg, ${colours.join(", ")})`;
  const marks = ticks.map(([value, text]) => {
    const mark = h("span.legend-tick", {}, text);
    mark.style.left = `${Math.max(0, Math.min(100, ((value - low) / (high - low)) * 100))}%`;
    return mark;
  });
  return h("div.legend-bar", { role: "img", "aria-label": `Colours: ${title} from ${low.toPrecision(3)} to ${high.toPrecision(3)} ${unit}` },
    ramp, h("span.legend-ticks", { "aria-hidden": "true" }, marks), h("span.legend-unit.muted", { "aria-hidden": "true" }, unit));
}

/** What black and white mean, or the three channels. */
function stretch(layer) {
  if (layer?.legend) return bar(layer.legend);
  const channels = layer?.channels || [];
  if (!channels.length) return null;
  const db = (value) => (Math.round(value * 10) / 10 || 0).toFixed(1);
  const range = (c) => `${db(c.low_db)} … ${db(c.high_db)} dB`;
  if (channels.length === 1) {
    return h("p.stretch", {}, h("span.ramp", { "aria-hidden": "true" }), h("span.num", {}, range(channels[0])));
  }
  const names = ["red", "green", "blue"];
  return h("p.stretch", {}, channels.map((c, i) => h("span.channel", { title: `${names[i]}: ${c.shows}, ${range(c)}` }, h(`i.dot.${names[i]}`, { "aria-hidden": "true" }), c.shows)));
}

function toTop(isOne) {
  const { layers } = state();
  set({ layers: [...layers.filter(isOne), ...layers.filter((one) => !isOne(one))] });
}

async function zoomTo(id, layer) {
  const bounds = layer?.bounds || (await item(id)).bbox;
  const [w, s, e, n] = bounds;
  fit([w, s, e < w ? e + 360 : e, n]);
}
