// The base map that needs no internet: Natural Earth's land, borders and names, and a graticule.
// The coarse land comes first, the finer one when it is there.

import { CanvasLayer, boxOfRing, isSeen, trace } from "./canvas.js";
import { css } from "./dom.js";
import { mercatorX, mercatorY } from "./geo.js";

const L = globalThis.L;
const FOLDER = "static/vendor/natural-earth/";
const STEPS_DEG = [30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01];
const LINE_EVERY_PX = 170;
const NAMES_FROM_ZOOM = 3;
const NAMES_TO_ZOOM = 9;

const Base = CanvasLayer.extend({
  options: { pane: "base", padding: 0.12 },
  land: [],
  borders: [],
  names: [],

  draw(context, view) {
    context.fillStyle = css("--sea");
    context.fillRect(0, 0, view.width, view.height);
    context.lineJoin = "round";
    context.fillStyle = css("--land");
    context.strokeStyle = css("--coast");
    context.lineWidth = view.zoom < 4 ? 0.6 : 1;
    for (const copy of view.copies) {
      context.beginPath();
      for (const { ring, box } of this.land) if (isSeen(box, view, copy)) trace(context, ring, view, copy);
      context.fill("evenodd");
      context.stroke();
      context.beginPath();
      for (const { ring, box } of this.borders) {
        if (isSeen(box, view, copy)) trace(context, ring, view, copy, false);
      }
      context.strokeStyle = css("--border");
      context.stroke();
      context.strokeStyle = css("--coast");
    }
    this._graticule(context, view);
    if (view.zoom >= NAMES_FROM_ZOOM && view.zoom <= NAMES_TO_ZOOM) this._names(context, view);
  },

  _graticule(context, view) {
    const degree_px = view.size / 360;
    const step = STEPS_DEG.find((s) => s * degree_px <= LINE_EVERY_PX) ?? STEPS_DEG.at(-1);
    const west = (-view.left / view.size - 0.5) * 360;
    const east = west + view.width / degree_px;
    context.strokeStyle = css("--grid");
    context.fillStyle = css("--place");
    context.lineWidth = 0.6;
    context.font = "10.5px system-ui, sans-serif";
    context.textBaseline = "top";
    context.beginPath();
    const digits = Math.max(0, Math.ceil(-Math.log10(step)));
    for (let lon = Math.ceil(west / step) * step; lon <= east; lon += step) {
      const x = Math.round(view.left + mercatorX(lon) * view.size) + 0.5;
      context.moveTo(x, 0);
      context.lineTo(x, view.height);
    }
    for (let lat = Math.ceil(-84 / step) * step; lat <= 84; lat += step) {
      const y = Math.round(view.top + mercatorY(lat) * view.size) + 0.5;
      if (y < 0 || y > view.height) continue;
      context.moveTo(0, y);
      context.lineTo(view.width, y);
      const name = lat > 1e-9 ? "N" : lat < -1e-9 ? "S" : "";
      // Inside the part that is on the screen: the canvas is a little larger than the map.
      context.fillText(`${Math.abs(lat).toFixed(digits)}°${name}`, view.width * 0.1 + 6, y + 3);
    }
    context.stroke();
  },

  _names(context, view) {
    context.font = `${view.zoom < 5 ? 11 : 12.5}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineWidth = 3;
    context.strokeStyle = css("--land");
    context.fillStyle = css("--place");
    for (const copy of view.copies) {
      for (const { name, x, y, width } of this.names) {
        if (width * view.size < context.measureText(name).width * 1.15) continue;
        const left = view.left + (x + copy) * view.size;
        const top = view.top + y * view.size;
        if (left < 0 || left > view.width || top < 0 || top > view.height) continue;
        context.strokeText(name, left, top);
        context.fillText(name, left, top);
      }
    }
    context.textAlign = "start";
  },
});

const base = new Base();
let chosen = null;
let attributed = "";

/** Put the offline base map onto the map and read its parts, the coarse one first. */
export async function addBase(map) {
  base.addTo(map);
  map.attributionControl.addAttribution("Natural Earth");
  try {
    base.land = rings((await read("land-110m.json")).land);
    base.redraw();
  } catch {
    return; // The page works without it, on a plain ground.
  }
  const refine = async () => {
    const { countries, topology } = await read("countries-50m.json");
    base.land = rings(countries);
    base.borders = lines(globalThis.topojson.mesh(topology, topology.objects.countries, (a, b) => a !== b));
    base.names = names(countries);
    base.redraw();
  };
  // The first picture is more urgent than a finer coast.
  (globalThis.requestIdleCallback || setTimeout)(() => refine().catch(() => {}));
}

/** Draw it again, in the colours of now. */
export const redrawBase = () => base.redraw();

/** Lay another base map over ours; "" for none. */
export function chooseBase(map, name, known) {
  chosen?.remove();
  if (attributed) map.attributionControl.removeAttribution(attributed);
  [chosen, attributed] = [null, ""];
  const wanted = known.find((one) => one.name === name);
  if (!wanted) return;
  chosen = L.tileLayer(wanted.url, {
    maxNativeZoom: wanted.max_zoom,
    maxZoom: 20,
    pane: "other-base",
    referrerPolicy: "origin", // OpenStreetMap wants to know whose page it is; the page's state is not told
  }).addTo(map);
  const holder = document.createElement("span");
  holder.textContent = wanted.attribution;
  attributed = holder.innerHTML;
  map.attributionControl.addAttribution(attributed);
}

async function read(name) {
  const answer = await fetch(FOLDER + name);
  if (!answer.ok) throw new Error(answer.statusText);
  const topology = await answer.json();
  const { topojson } = globalThis;
  const made = { topology };
  for (const key of Object.keys(topology.objects)) made[key] = topojson.feature(topology, topology.objects[key]);
  return made;
}

/** Web Mercator of a line. Where it crosses the antimeridian it goes on beyond it, and a ring about
    a pole is closed along the edge of the map. */
function projected(places) {
  const line = [];
  let turn = 0;
  let last = places[0][0];
  for (const [lon, lat] of places) {
    if (lon - last > 180) turn -= 360;
    else if (lon - last < -180) turn += 360;
    last = lon;
    line.push(lon + turn, lat);
  }
  if (Math.abs(line.at(-2) - line[0]) > 180) {
    const pole = line[1] < 0 ? -90 : 90;
    line.push(line.at(-2), pole, line[0], pole);
  }
  let west = Infinity;
  for (let i = 0; i < line.length; i += 2) west = Math.min(west, line[i]);
  const shift = Math.floor((west + 180) / 360) * 360;
  return Float64Array.from(line, (value, i) => (i % 2 ? mercatorY(value) : mercatorX(value - shift)));
}

const polygonsOf = (geometry) => (!geometry ? [] : geometry.type === "Polygon" ? [geometry.coordinates]
  : geometry.type === "MultiPolygon" ? geometry.coordinates : []);
const boxed = (places) => {
  const ring = projected(places);
  return { ring, box: boxOfRing(ring) };
};
const featuresOf = (thing) => thing.features || [thing];
const rings = (thing) => featuresOf(thing).flatMap((f) => polygonsOf(f.geometry).flat().map(boxed));
const lines = (mesh) => mesh.coordinates.map(boxed);

/** Each country's name, in the middle of its largest part. */
function names(countries) {
  return countries.features.map(({ geometry, properties }) => {
    const parts = polygonsOf(geometry).map((polygon) => boxed(polygon[0]));
    if (!parts.length) return null;
    const size = ({ box }) => (box[2] - box[0]) * (box[3] - box[1]);
    const { ring, box } = parts.reduce((a, b) => (size(b) > size(a) ? b : a));
    const [x, y] = centroid(ring);
    return { name: properties.name, x, y, width: box[2] - box[0] };
  }).filter(Boolean);
}

function centroid(ring) {
  let [area, x, y] = [0, 0, 0];
  for (let i = 0; i + 3 < ring.length; i += 2) {
    const cross = ring[i] * ring[i + 3] - ring[i + 2] * ring[i + 1];
    area += cross;
    x += (ring[i] + ring[i + 2]) * cross;
    y += (ring[i + 1] + ring[i + 3]) * cross;
  }
  return [x / (3 * area), y / (3 * area)];
}
