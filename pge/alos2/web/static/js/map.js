// The map itself: where it looks, and what lies on it.

import { addBase, chooseBase, redrawBase } from "./basemap.js";
import { boxOf, found, onFound } from "./data.js";
import { $ } from "./dom.js";
import { addFootprints, redrawFootprints } from "./footprints.js";
import { boundsOf } from "./geo.js";
import { set, state, watch } from "./state.js";

const L = globalThis.L;
const PANES = { base: 100, "other-base": 110, grounds: 150, tiles: 200, "tiles-a": 205, "tiles-b": 206, footprints: 300, area: 350 };
const LEAST_PADDING = [36, 36];

export const map = L.map("map", {
  zoomControl: false, attributionControl: false, worldCopyJump: true, minZoom: 1, maxZoom: 19,
  zoomSnap: 0.5, wheelPxPerZoomLevel: 110, maxBounds: [[-89, -540], [89, 540]], maxBoundsViscosity: 0.6,
  fadeAnimation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
  zoomAnimation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
});

let moving = false;

/** Make the map; `drawing()` tells whether a pointer draws now. */
export function startMap(drawing, basemaps) {
  for (const [name, level] of Object.entries(PANES)) map.createPane(name).style.zIndex = level;
  for (const name of ["base", "grounds", "footprints"]) map.getPane(name).style.pointerEvents = "none";
  L.control.attribution({ prefix: "Leaflet" }).addTo(map);
  L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
  L.control.zoom({ position: "topright", zoomInTitle: "Zoom in (+)", zoomOutTitle: "Zoom out (-)" }).addTo(map);
  const there = state().map;
  if (there) map.setView([there.lat, there.lon], there.zoom);
  else map.setView([20, 100], 2);
  addBase(map);
  addFootprints(map, drawing);
  map.on("moveend", remember);
  watch(["map"], ({ map: wanted }) => {
    if (moving || !wanted) return;
    const c = map.getCenter();
    if (Math.abs(c.lat - wanted.lat) > 1e-4 || Math.abs(c.lng - wanted.lon) > 1e-4 || map.getZoom() !== wanted.zoom) {
      map.setView([wanted.lat, wanted.lon], wanted.zoom, { animate: false });
    }
  });
  let first = !there;
  onFound("rows", () => {
    const row = found.byId.get(state().item);
    if (first && row) fit(boxOf(row), { animate: false });
    else if (first && found.rows.length) fitRows({ animate: false });
    // What came first was only a part: all of it is fitted in again.
    first = first && found.partial;
  });
  basemaps.then((known) => {
    watch(["base"], ({ base }) => chooseBase(map, base, known));
    chooseBase(map, state().base, known);
  });
  new ResizeObserver(() => map.invalidateSize({ animate: false })).observe($("map"));
}

function remember() {
  const { lat, lng } = map.getCenter();
  const there = state().map;
  // A map that is laid out anew may move by a pixel; an address must not creep for that.
  if (there && there.zoom === map.getZoom()
    && map.latLngToContainerPoint([there.lat, there.lon]).distanceTo(map.getSize().divideBy(2)) < 2) return;
  moving = true;
  set({ map: { zoom: Math.round(map.getZoom() * 100) / 100, lat: Number(lat.toFixed(5)), lon: Number(lng.toFixed(5)) } }, { push: false });
  moving = false;
}

/** Show everything that is found. */
export function fitRows(more = {}) {
  const boxes = found.rows.slice(0, 5000).map(boxOf);
  if (!boxes.length) return;
  const pick = (side, best) => best(...boxes.map((box) => box[side]));
  const wide = pick(2, Math.max) - pick(0, Math.min);
  // Scenes on both sides of the antimeridian and elsewhere: the whole world rather than a half of it.
  const [w, e] = wide > 300 ? [-175, 180] : [pick(0, Math.min), pick(2, Math.max)];
  fit([w, pick(1, Math.min), e, pick(3, Math.max)], more);
}

/** Show a box: west, south, east (may be beyond 180), north. */
export function fit([w, s, e, n], more = {}) {
  const phone = matchMedia("(max-width: 760px)").matches;
  map.fitBounds([[s, w], [n, e]], {
    paddingTopLeft: LEAST_PADDING, paddingBottomRight: phone ? [36, innerHeight * 0.42] : [36, 120], maxZoom: 15, ...more,
  });
}

/** Show a geometry. */
export const fitGeometry = (geometry) => fit(boundsOf(geometry));

/** What the map shows now, as an area. */
export function viewBox() {
  const bounds = map.getBounds();
  const wrap = (lon) => ((lon + 180) % 360 + 360) % 360 - 180;
  const whole = bounds.getEast() - bounds.getWest() >= 360;
  const [w, e] = whole ? [-180, 180] : [wrap(bounds.getWest()), wrap(bounds.getEast())];
  const round = (value) => Math.round(value * 1e4) / 1e4;
  return [w, Math.max(-90, bounds.getSouth()), e, Math.min(90, bounds.getNorth())].map(round);
}

/** Draw again what takes its colours from the style sheet. */
export function recolour() {
  redrawBase();
  redrawFootprints();
}
