// Places as text and as GeoJSON, and the little geometry that a page needs.

/** Most corners of an area that is searched: more than a person can have meant. */
const MOST_CORNERS = 500;

/**
 * Read an area: four numbers (west, south, east, north), two (longitude, latitude), WKT or GeoJSON.
 * @returns {{bbox: number[]} | {geometry: object}}
 * @throws {Error} with a sentence for the person who typed it.
 */
export function areaFromText(text) {
  const plain = text.trim();
  if (plain.startsWith("{")) return areaFromGeojson(parseJson(plain));
  if (/^[a-z]/i.test(plain)) return { geometry: checked(fromWkt(plain)) };
  const numbers = plain.split(/[\s,;/]+/).map(Number);
  if (numbers.some((n) => !Number.isFinite(n))) throw new Error("This is no area: four numbers, WKT or GeoJSON.");
  if (numbers.length === 2) return { geometry: checked({ type: "Point", coordinates: numbers }) };
  if (numbers.length !== 4) throw new Error("An area has four numbers: west, south, east, north.");
  return { bbox: checkedBox(numbers) };
}

/** Read the area of a GeoJSON object: a geometry, a feature, or several. */
export function areaFromGeojson(object) {
  const parts = [];
  collect(object, parts);
  if (!parts.length) throw new Error("There is no geometry in it.");
  const polygons = parts.flatMap((g) =>
    g.type === "Polygon" ? [g.coordinates] : g.type === "MultiPolygon" ? g.coordinates : []);
  let geometry = parts[0];
  if (parts.length > 1) {
    geometry = polygons.length === parts.length || polygons.length > 1
      ? { type: "MultiPolygon", coordinates: polygons }
      : { type: "GeometryCollection", geometries: parts };
  }
  return { geometry: simpler(checked(geometry)) };
}

function collect(object, parts) {
  if (!object || typeof object !== "object") return;
  if (object.type === "FeatureCollection") (object.features || []).forEach((f) => collect(f, parts));
  else if (object.type === "Feature") collect(object.geometry, parts);
  else if (object.type === "GeometryCollection") (object.geometries || []).forEach((g) => collect(g, parts));
  else if (object.type && object.coordinates) parts.push({ type: object.type, coordinates: object.coordinates });
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("This looks like GeoJSON, but is cut short or damaged.");
  }
}

/** An area as text that `areaFromText` reads again. */
export function areaToText(area) {
  if (area.bbox) return area.bbox.map((n) => short(n)).join(",");
  return toWkt(area.geometry);
}

/** An area in words. */
export function areaInWords(area) {
  if (area.bbox) return `Box ${area.bbox.map((n) => short(n, 2)).join(", ")}`;
  const { type } = area.geometry;
  if (type === "Point") return `Point ${area.geometry.coordinates.map((n) => short(n, 4)).join(", ")}`;
  if (type !== "Polygon") return `${type === "MultiPolygon" ? "Polygons" : type}, ${corners(area.geometry).length} places`;
  return `Polygon of ${area.geometry.coordinates[0].length - 1} corners`;
}

/** A number without needless digits. */
export function short(number, digits = 5) {
  return String(Math.round(number * 10 ** digits) / 10 ** digits);
}

/** An area as GeoJSON. */
export function areaGeometry(area) {
  if (!area.bbox) return area.geometry;
  const [w, s, e, n] = area.bbox;
  const ring = (a, b) => [[[a, s], [b, s], [b, n], [a, n], [a, s]]];
  if (w <= e) return { type: "Polygon", coordinates: ring(w, e) };
  return { type: "MultiPolygon", coordinates: [ring(w, 180), ring(-180, e)] };
}

/** West, south, east, north of what a geometry covers; east may be beyond 180. */
export function boundsOf(geometry) {
  const places = corners(geometry);
  let lons = places.map((p) => p[0]);
  // Parts on both sides of the antimeridian lie side by side, not a world apart.
  if (geometry.type === "MultiPolygon" && Math.max(...lons) > 179.99 && Math.min(...lons) < -179.99) {
    lons = lons.map((lon) => (lon < 0 ? lon + 360 : lon));
  }
  const lats = places.map((p) => p[1]);
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

/** All corners of a geometry, in a row. */
export function corners(geometry) {
  if (geometry.type === "GeometryCollection") return geometry.geometries.flatMap(corners);
  const flat = [];
  (function walk(value) {
    if (typeof value[0] === "number") flat.push(value);
    else value.forEach(walk);
  })(geometry.coordinates);
  return flat;
}

function checked(geometry) {
  for (const [lon, lat] of corners(geometry)) {
    if (!(lon >= -360 && lon <= 360 && lat >= -90 && lat <= 90)) {
      throw new Error(`${lon}, ${lat} is no place: longitude first, then latitude, in degrees.`);
    }
  }
  return geometry;
}

function checkedBox([w, s, e, n]) {
  if (s > n) throw new Error("South lies north of north: west, south, east, north.");
  checked({ type: "MultiPoint", coordinates: [[w, s], [e, n]] });
  return [w, s, e, n];
}

/** The same outline with at most some hundred corners (Visvalingam: the least triangles go). */
function simpler(geometry) {
  if (!/Polygon$/.test(geometry.type)) return geometry;
  const count = corners(geometry).length;
  if (count <= MOST_CORNERS) return geometry;
  const thin = (ring) => thinned(ring, Math.max(4, Math.floor(ring.length * MOST_CORNERS / count)));
  const coordinates = geometry.type === "Polygon"
    ? geometry.coordinates.map(thin) : geometry.coordinates.map((rings) => rings.map(thin));
  return { type: geometry.type, coordinates, simplified: true };
}

function thinned(ring, wanted) {
  const kept = ring.slice();
  const area = ([ax, ay], [bx, by], [cx, cy]) => Math.abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay));
  while (kept.length > wanted) {
    let least = Infinity;
    let which = 1;
    for (let i = 1; i < kept.length - 1; i += 1) {
      const size = area(kept[i - 1], kept[i], kept[i + 1]);
      if (size < least) [least, which] = [size, i];
    }
    kept.splice(which, 1);
  }
  return kept;
}

function fromWkt(text) {
  const [, word, rest] = text.match(/^(?:SRID=4326;)?\s*([A-Z]+)\s*(?:Z\s*)?(\(.*)$/is) || [];
  const names = { POINT: "Point", MULTIPOINT: "MultiPoint", LINESTRING: "LineString", MULTILINESTRING: "MultiLineString", POLYGON: "Polygon", MULTIPOLYGON: "MultiPolygon" };
  const type = names[(word || "").toUpperCase()];
  if (!type) throw new Error("This WKT is not known: POINT, LINESTRING, POLYGON or MULTIPOLYGON.");
  const json = rest
    .replace(/[-+]?\d[\d.]*(?:e[-+]?\d+)?(?:\s+[-+]?\d[\d.]*(?:e[-+]?\d+)?)+/gi,
      (pair) => `[${pair.trim().split(/\s+/).slice(0, 2).map(Number).join(",")}]`)
    .replace(/\(/g, "[").replace(/\)/g, "]");
  let coordinates;
  try {
    coordinates = JSON.parse(json);
  } catch {
    throw new Error("This WKT is cut short or damaged.");
  }
  if (type === "Point") [coordinates] = coordinates;
  if (type === "MultiPoint") coordinates = coordinates.map((p) => (typeof p[0] === "number" ? p : p[0]));
  return { type, coordinates };
}

function toWkt(geometry) {
  if (geometry.type === "GeometryCollection") return JSON.stringify(geometry);
  const place = ([lon, lat]) => `${short(lon)} ${short(lat)}`;
  const text = (value) => (typeof value[0] === "number" ? place(value)
    : `(${value.map(text).join(",")})`);
  const inside = geometry.type === "Point" ? `(${place(geometry.coordinates)})` : text(geometry.coordinates);
  return `${geometry.type.toUpperCase()}${inside}`;
}

// Web Mercator, the whole world from 0 to 1.
const DEGREE = Math.PI / 180;
/** Across, 0 at 180° west. */
export const mercatorX = (lon) => lon / 360 + 0.5;
/** Down, 0 at 85.05° north. */
export const mercatorY = (lat) => {
  const sine = Math.sin(Math.max(-85.06, Math.min(85.06, lat)) * DEGREE);
  return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
};
