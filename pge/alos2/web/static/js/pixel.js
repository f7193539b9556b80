// What is below the pointer: the place, and the backscatter of the picture on top. While the map
// has the focus of the keyboard, what is in its middle.

import { ask } from "./api.js";
import { PASS, found, layerName, onFound, shortName } from "./data.js";
import { $, debounced } from "./dom.js";
import { topLayer } from "./layers.js";
import { map } from "./map.js";
import { isStackId } from "./stacklayers.js";
import { watch } from "./state.js";

let asking = null;
let place = null;

const askSoon = debounced(read, 120);

/** Make the readout work. */
export function startPixel() {
  map.on("mousemove", (event) => {
    map.getContainer().classList.remove("aims");
    at(event.latlng);
  });
  onFound("hover", (id) => { $("readout-scene").textContent = id ? sceneWords(id) : ""; });
  map.on("click", (event) => at(event.latlng));
  map.on("mouseout", () => at(null));
  const container = map.getContainer();
  const centred = () => {
    if (document.activeElement !== container || !container.matches(":focus-visible")) return;
    at(map.getCenter());
  };
  container.addEventListener("focus", () => {
    container.classList.toggle("aims", container.matches(":focus-visible"));
    centred();
  });
  container.addEventListener("blur", () => {
    container.classList.remove("aims");
    at(null);
  });
  map.on("moveend", centred);
  watch(["layers"], () => place && askSoon());
}

function at(latlng) {
  place = latlng && map.wrapLatLng(latlng);
  asking?.abort();
  $("readout-value").textContent = "";
  $("readout").classList.toggle("on", Boolean(place));
  if (!place) {
    $("readout-place").textContent = "";
    return;
  }
  const part = (value, plus, minus) => `${Math.abs(value).toFixed(4)}° ${value < 0 ? minus : plus}`;
  $("readout-place").textContent = `${part(place.lat, "N", "S")}  ${part(place.lng, "E", "W")}`;
  if (topLayer()) askSoon();
}

function sceneWords(id) {
  const row = found.byId.get(id);
  if (row && isStackId(id)) return `stack ${shortName(id)}`;
  return row ? `${shortName(id)}, ${PASS[row.pass] || ""}, path ${row.path} frame ${row.frame}` : "";
}

async function read() {
  const top = topLayer();
  if (!place || !top) return;
  asking?.abort();
  asking = new AbortController();
  const query = { dataset: top.id, layer: top.name, lon: place.lng.toFixed(6), lat: place.lat.toFixed(6) };
  try {
    const told = await ask("api/pixel", { query, signal: asking.signal });
    $("readout-value").textContent = isStackId(top.id) ? ofStack(told, top) : inWords(told, top.name);
  } catch (error) {
    if (error.name !== "AbortError") $("readout-value").textContent = "";
  }
}

/** A stack's layer: backscatter in dB, or a metric in its unit. */
function ofStack(told, layer) {
  if (told.channels?.length) return `${layerName(layer)}  ${told.channels.map((c) => `${c.name} ${c.db.toFixed(1)}`).join("  ")} dB`;
  const value = told.db ?? told.value;
  if (value === null || value === undefined) return told.why === "outside" ? "" : told.why || "no data";
  const digits = told.unit.startsWith("dB") ? 1 : told.unit === "dates" ? 0 : 3;
  return `${layerName(layer)}  ${value.toFixed(digits)} ${told.unit}`.trimEnd();
}

function inWords(told, layer) {
  if (told.channels?.length) {
    const parts = told.channels.filter((c) => c.db !== null).map((c) => `${c.name} ${c.db.toFixed(1)}`);
    return parts.length ? `${parts.join("  ")} dB` : "no data";
  }
  if (told.db === null || told.db === undefined) return told.why === "outside" ? "" : told.why || "no data";
  const exact = told.where?.startsWith("tile") ? "≈ " : "";
  const dn = told.dn !== null && told.dn !== undefined ? `  (DN ${Math.round(told.dn)})` : "";
  return `${layer} σ⁰ ${exact}${told.db.toFixed(1)} dB${dn}`;
}

