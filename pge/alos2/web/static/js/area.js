// The area that is searched: drawn on the map, typed, dropped as a file, or what the map shows.

import { $, announce, toast } from "./dom.js";
import { areaFromGeojson, areaFromText, areaGeometry, areaInWords, areaToText } from "./geo.js";
import { fitGeometry, map, viewBox } from "./map.js";
import { set, state, watch } from "./state.js";

const L = globalThis.L;
const LARGEST_FILE = 20e6;

let tool = null;
let shown = null;
let sketch = null;
let places = [];

/** Whether a pointer draws now. */
export const isDrawing = () => tool !== null;

/** Make the controls of the area work. */
export function startArea() {
  $("draw-box").addEventListener("click", () => choose("box"));
  $("draw-polygon").addEventListener("click", () => choose("polygon"));
  $("area-view").addEventListener("click", takeView);
  $("area-file").addEventListener("click", () => $("area-file-input").click());
  $("area-file-input").addEventListener("change", (event) => takeFile(event.target.files[0]));
  $("area-text").addEventListener("change", takeText);
  watch(["area"], show);
  show(state());
  const stage = $("stage");
  stage.addEventListener("dragover", (event) => {
    event.preventDefault();
    $("drop-hint").hidden = false;
  });
  stage.addEventListener("dragleave", (event) => {
    if (!stage.contains(event.relatedTarget)) $("drop-hint").hidden = true;
  });
  stage.addEventListener("drop", (event) => {
    event.preventDefault();
    $("drop-hint").hidden = true;
    takeFile(event.dataTransfer.files[0]);
  });
  const pane = map.getContainer();
  pane.addEventListener("pointerdown", boxBegins, true);
  map.on("click", corner);
  map.on("mousemove", (event) => tool === "polygon" && places.length && draw([...places, event.latlng]));
  map.on("dblclick", () => tool === "polygon" && finish());
  document.addEventListener("keydown", drawingKeys, true);
}

/** Begin to draw, or stop. */
export function choose(wanted) {
  const next = tool === wanted ? null : wanted;
  stop();
  tool = next;
  pressed();
  if (!tool) return;
  map.getContainer().classList.add("draws");
  map.doubleClickZoom.disable();
  if (tool === "box") map.dragging.disable();
  announce(tool === "box" ? "Drag a rectangle on the map. Escape ends it."
    : "Click the corners on the map. Enter or a double click closes the polygon, Escape ends it.");
  toast(tool === "box" ? "Drag a rectangle on the map" : "Click the corners; double-click or Enter to close");
}

/** Search what the map shows. */
export function takeView() {
  set({ area: { bbox: viewBox() } });
}

function takeText(event) {
  const text = event.target.value;
  try {
    const area = text.trim() ? areaFromText(text) : null;
    complain("");
    set({ area });
    if (area) fitGeometry(areaGeometry(area));
  } catch (error) {
    complain(error.message);
  }
}

async function takeFile(file) {
  if (!file) return;
  try {
    if (file.size > LARGEST_FILE) throw new Error(`${file.name} is larger than an outline can be.`);
    const area = areaFromGeojson(JSON.parse(await file.text()));
    complain("");
    set({ area });
    fitGeometry(areaGeometry(area));
    toast(area.geometry.simplified ? `${file.name}: simplified to ${areaInWords(area)}` : `Area from ${file.name}`);
  } catch (error) {
    const sentence = error instanceof SyntaxError ? `${file.name} is no GeoJSON.` : error.message;
    complain(sentence);
    toast(sentence, "error");
  }
  $("area-file-input").value = "";
}

function complain(sentence) {
  $("area-note").textContent = sentence;
  $("area-note").hidden = !sentence;
  $("area-text").setAttribute("aria-invalid", String(Boolean(sentence)));
}

function show({ area }) {
  shown?.remove();
  shown = null;
  $("area-text").value = area ? areaToText(area) : "";
  if (!area) return;
  complain("");
  const copies = [0, 360, -360].map((turn) => L.geoJSON(areaGeometry(area), {
    pane: "area", interactive: false, className: "area-line",
    coordsToLatLng: ([lon, lat]) => L.latLng(lat, lon + turn),
    pointToLayer: (_, place) => L.circleMarker(place, { radius: 7, pane: "area", className: "area-line", interactive: false }),
  }));
  shown = L.layerGroup(copies).addTo(map);
}

function pressed() {
  $("draw-box").setAttribute("aria-pressed", String(tool === "box"));
  $("draw-polygon").setAttribute("aria-pressed", String(tool === "polygon"));
}

function stop() {
  sketch?.remove();
  [sketch, places, tool] = [null, [], null];
  map.getContainer().classList.remove("draws");
  map.dragging.enable();
  setTimeout(() => map.doubleClickZoom.enable(), 300);
  pressed();
}

function draw(corners) {
  sketch?.remove();
  sketch = L.layerGroup([
    L.polygon(corners, { pane: "area", className: "area-line sketch", interactive: false }),
    ...(tool === "polygon" ? places : []).map((place) =>
      L.circleMarker(place, { radius: 5, pane: "area", className: "area-corner", interactive: false })),
  ]).addTo(map);
}

function boxBegins(event) {
  if (tool !== "box" || event.button !== 0 || event.target.closest(".leaflet-control")) return;
  event.preventDefault();
  event.stopPropagation();
  const start = map.mouseEventToLatLng(event);
  const corners = (end) => [[start.lat, start.lng], [start.lat, end.lng], [end.lat, end.lng], [end.lat, start.lng]];
  const moved = (move) => draw(corners(map.mouseEventToLatLng(move)));
  const ended = (up) => {
    removeEventListener("pointermove", moved);
    removeEventListener("pointerup", ended);
    removeEventListener("pointercancel", ended);
    const end = map.mouseEventToLatLng(up);
    const far = map.latLngToContainerPoint(start).distanceTo(map.latLngToContainerPoint(end)) > 6;
    stop();
    if (far && up.type === "pointerup") takeCorners(corners(end), true);
  };
  addEventListener("pointermove", moved);
  addEventListener("pointerup", ended);
  addEventListener("pointercancel", ended);
}

function corner(event) {
  if (tool !== "polygon") return;
  const near = places.length > 2
    && map.latLngToContainerPoint(places[0]).distanceTo(event.containerPoint) < 12;
  if (near) {
    finish();
    return;
  }
  const last = places.at(-1);
  // The second click of a double click is no new corner.
  if (!last || map.latLngToContainerPoint(last).distanceTo(event.containerPoint) > 4) places.push(event.latlng);
  draw(places);
}

function finish() {
  const corners = places.map(({ lat, lng }) => [lat, lng]);
  stop();
  if (corners.length >= 3) takeCorners(corners, false);
  else toast("A polygon needs three corners.", "error");
}

function takeCorners(corners, isBox) {
  const round = (value) => Math.round(value * 1e5) / 1e5;
  const turn = Math.floor((Math.min(...corners.map((c) => c[1])) + 180) / 360) * 360;
  const ring = corners.map(([lat, lng]) => [round(lng - turn), round(lat)]);
  if (isBox) {
    const [lons, lats] = [ring.map((p) => p[0]), ring.map((p) => p[1])];
    const east = Math.max(...lons);
    set({ area: { bbox: [Math.min(...lons), Math.min(...lats), east > 180 ? east - 360 : east, Math.max(...lats)] } });
    return;
  }
  if (Math.max(...ring.map((p) => p[0])) > 180) {
    toast("A polygon across the antimeridian: draw it on one side, or take a rectangle.", "error");
    return;
  }
  set({ area: { geometry: { type: "Polygon", coordinates: [[...ring, ring[0]]] } } });
}

function drawingKeys(event) {
  if (!tool) return;
  if (event.key === "Escape") stop();
  else if (event.key === "Enter" && tool === "polygon") finish();
  else if (event.key === "Backspace" && tool === "polygon") {
    places.pop();
    draw(places);
  } else return;
  event.preventDefault();
  event.stopPropagation();
}
