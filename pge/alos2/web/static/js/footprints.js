// The outlines of all scenes that are found, on one canvas; pointed at and chosen with the pointer.

import { CanvasLayer, boxOfRing, isSeen, trace } from "./canvas.js";
import { found, hover, hoveredId, onFound } from "./data.js";
import { css } from "./dom.js";
import { mercatorX, mercatorY } from "./geo.js";
import { set, state, watch } from "./state.js";

/** Ascending passes are whole lines, descending ones broken: told apart without colours too. */
export const DASH = { A: [], D: [6, 4] };
const MANY = 2000;
const SMALLEST_PX = 5;

let shapes = [];
const claims = [];
let pictured = false;

/** The grounds of all outlines, below the pictures: filled once, however many lie on each other. */
const Grounds = CanvasLayer.extend({
  options: { pane: "grounds", padding: 0.12 },

  draw(context, view) {
    if (shapes.length > MANY) return;
    for (const pass of ["D", "A"]) {
      context.beginPath();
      for (const shape of shapes) {
        if (shape.pass !== pass) continue;
        for (const copy of view.copies) {
          if (isSeen(shape.box, view, copy)) shape.rings.forEach((ring) => trace(context, ring, view, copy));
        }
      }
      context.fillStyle = css(pass === "D" ? "--desc-fill" : "--asc-fill");
      context.fill("nonzero");
    }
  },
});

const Footprints = CanvasLayer.extend({
  options: { pane: "footprints", padding: 0.12 },

  draw(context, view) {
    const { item, sel } = state();
    const selected = new Set(sel);
    for (const pass of ["D", "A", ""]) this._pass(context, view, pass);
    if (shapes.length && !pictured) {
      pictured = true;
      performance.mark("alos2-first-picture");
    }
    for (const shape of shapes) {
      const marked = shape.id === item || shape.id === hoveredId();
      if (marked || selected.has(shape.id)) this._marked(context, view, shape, marked);
    }
  },

  _pass(context, view, pass) {
    const color = css(pass === "D" ? "--desc" : pass === "A" ? "--asc" : "--muted");
    context.strokeStyle = color;
    context.lineWidth = shapes.length <= MANY ? 1.4 : 0.9;
    context.setLineDash(DASH[pass] || [2, 3]);
    const dots = [];
    context.beginPath();
    for (const shape of shapes) {
      if ((shape.pass || "") !== pass) continue;
      for (const copy of view.copies) {
        if (!isSeen(shape.box, view, copy)) continue;
        const wide = (shape.box[2] - shape.box[0]) * view.size;
        const high = (shape.box[3] - shape.box[1]) * view.size;
        if (Math.max(wide, high) < SMALLEST_PX) {
          dots.push([(shape.box[0] + shape.box[2]) / 2 + copy, (shape.box[1] + shape.box[3]) / 2]);
          continue;
        }
        for (const { ring, closed } of shape.lines) trace(context, ring, view, copy, closed);
      }
    }
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = color;
    for (const [x, y] of dots) this._dot(context, view.left + x * view.size, view.top + y * view.size, pass);
  },

  /** A scene too small to be seen: a round dot if ascending, a square one if descending. */
  _dot(context, x, y, pass) {
    context.beginPath();
    if (pass === "D") context.rect(x - 2.6, y - 2.6, 5.2, 5.2);
    else context.arc(x, y, 3, 0, 7);
    context.fill();
  },

  _marked(context, view, shape, strong) {
    const color = css(shape.pass === "D" ? "--desc" : "--asc");
    for (const copy of view.copies) {
      if (!isSeen(shape.box, view, copy)) continue;
      context.beginPath();
      for (const { ring, closed } of shape.lines) trace(context, ring, view, copy, closed);
      if ((shape.box[2] - shape.box[0]) * view.size < SMALLEST_PX) {
        const x = view.left + ((shape.box[0] + shape.box[2]) / 2 + copy) * view.size;
        const y = view.top + (shape.box[1] + shape.box[3]) / 2 * view.size;
        context.moveTo(x + 8, y);
        context.arc(x, y, 8, 0, 7);
      }
      context.setLineDash([]);
      context.lineWidth = strong ? 6 : 4;
      context.strokeStyle = css("--panel");
      context.stroke();
      context.lineWidth = strong ? 3 : 2;
      context.strokeStyle = color;
      context.setLineDash(DASH[shape.pass] || []);
      context.stroke();
    }
    context.setLineDash([]);
  },
});

const grounds = new Grounds();
const layer = new Footprints();

/** Let `claim(latlng)` take a click; what it returns says whether it has. */
export const claimClicks = (claim) => claims.push(claim);

/** Put the outlines onto the map, and let them be pointed at. */
export function addFootprints(map, isDrawing) {
  grounds.addTo(map);
  layer.addTo(map);
  onFound("rows", ({ rows }) => {
    shapes = rows.map(shapeOf).filter(Boolean);
    redrawFootprints();
  });
  onFound("hover", () => layer.redraw());
  watch(["item", "sel"], () => layer.redraw());
  map.on("mousemove", (event) => {
    if (isDrawing()) return;
    const [top] = at(map, event.containerPoint, event.latlng);
    hover(top ? top.id : "", "map");
    map.getContainer().classList.toggle("points-at", Boolean(top));
  });
  map.on("mouseout", () => hover("", "map"));
  map.on("click", (event) => {
    if (isDrawing() || claims.some((claim) => claim(map.wrapLatLng(event.latlng)))) return;
    const hits = at(map, event.containerPoint, event.latlng);
    if (!hits.length) return;
    // Where scenes lie on each other, each click takes the next.
    const now = hits.findIndex((shape) => shape.id === state().item);
    set({ item: hits[(now + 1) % hits.length].id, stack: "" });
  });
}

/** Draw them again, in the colours of now. */
export function redrawFootprints() {
  grounds.redraw();
  layer.redraw();
}

function shapeOf(row) {
  if (!row.outline?.length) return null;
  const crosses = row.w > row.e;
  const rings = row.outline.map((flat) => {
    const ring = new Float64Array(flat.length);
    for (let i = 0; i < flat.length; i += 2) {
      // Both sides of the antimeridian together: the eastern one lies beyond 1.
      ring[i] = mercatorX(flat[i] < 0 && crosses ? flat[i] + 360 : flat[i]);
      ring[i + 1] = mercatorY(flat[i + 1]);
    }
    return ring;
  });
  const boxes = rings.map(boxOfRing);
  const box = [0, 1, 2, 3].map((side) => Math[side < 2 ? "min" : "max"](...boxes.map((b) => b[side])));
  const lines = crosses ? rings.flatMap(withoutSeam) : rings.map((ring) => ({ ring, closed: true }));
  return { id: row.id, pass: row.pass, rings, lines, boxes, box, size: (box[2] - box[0]) * (box[3] - box[1]) };
}

/** The outline of a part without the edge along the antimeridian, where it was only cut. */
function withoutSeam(ring) {
  const parts = [[]];
  const onSeam = (i) => Math.abs(ring[i] - 1) < 1e-9;
  for (let i = 0; i < ring.length; i += 2) {
    if (i && onSeam(i) && onSeam(i - 2)) parts.push([]);
    parts.at(-1).push(ring[i], ring[i + 1]);
  }
  return parts.filter((part) => part.length > 2).map((part) => ({ ring: Float64Array.from(part), closed: false }));
}

/** Scenes at a place, the smallest first, so that none is hidden below a larger one. */
function at(map, point, place) {
  const size = 256 * 2 ** map.getZoom();
  const lon = ((place.lng + 180) % 360 + 360) % 360 - 180;
  const across = mercatorX(lon);
  const y = mercatorY(place.lat);
  const near = 8 / size;
  const hits = shapes.filter(({ box, boxes, rings }) => {
    const x = box[2] > 1 && across < 0.5 ? across + 1 : across;
    if (x < box[0] - near || x > box[2] + near || y < box[1] - near || y > box[3] + near) return false;
    if ((box[2] - box[0]) * size < 3 * SMALLEST_PX) return true;
    return rings.some((ring, i) => x >= boxes[i][0] && x <= boxes[i][2] && inside(ring, x, y));
  });
  return hits.sort((a, b) => a.size - b.size || (found.byId.get(b.id)?.t || 0) - (found.byId.get(a.id)?.t || 0));
}

function inside(ring, x, y) {
  let within = false;
  for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
    if (ring[i + 1] > y !== ring[j + 1] > y
      && x < ((ring[j] - ring[i]) * (y - ring[i + 1])) / (ring[j + 1] - ring[i + 1]) + ring[i]) within = !within;
  }
  return within;
}
