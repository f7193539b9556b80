// The page of a scene: its pictures, what is known of it, its files, and who says where it lies.

import { item as askItem } from "./api.js";
import { PASS, dayOf, found } from "./data.js";
import { $, bytes, copy, css, h, iconButton } from "./dom.js";
import { commandsFor, downloadDialog } from "./download.js";
import { areaGeometry } from "./geo.js";
import { hideScene, layersOf, showScene } from "./layers.js";
import { passMark } from "./list.js";
import { fitGeometry, map } from "./map.js";
import { renderProduct } from "./product.js";
import { isStackId } from "./stacklayers.js";
import { renderStack } from "./stack.js";
import { linkTo, set, state, toggle, watch } from "./state.js";

const L = globalThis.L;
const SOURCES = {
  bos_sarcat: "BOS SARCAT catalogue", geometry: "orbit and geometry", raster: "valid pixels", summary: "summary.txt", isce: "ISCE",
};
const LONG = 46;

let drawn = null;
let before = null;

/** Make the details at the side follow the state. */
export function startDetail() {
  watch(["item", "stack"], show);
  show();
}

/** Close the details. */
export function closeDetail() {
  set({ item: "", stack: "" });
  before?.isConnected && before.focus({ preventScroll: true });
}

async function show() {
  const { item, stack } = state();
  const holder = $("detail");
  drawn?.remove();
  drawn = null;
  document.body.classList.toggle("has-detail", Boolean(item || stack));
  if (!item && !stack) {
    holder.hidden = true;
    holder.replaceChildren();
    return;
  }
  if (holder.hidden) before = document.activeElement;
  holder.hidden = false;
  holder.scrollTop = 0;
  const key = item || stack;
  const late = setTimeout(() => holder.replaceChildren(h("p.empty", {}, "…")), 250);
  try {
    if (isStackId(item)) await renderProduct(item, holder, closeDetail);
    else if (item) render(await askItem(item), holder);
    else await renderStack(stack, holder, closeDetail);
  } catch (error) {
    if (key !== (state().item || state().stack)) return;
    holder.replaceChildren(h("header.detail-head", {}, h("h2", {}, key), iconButton("close", "Close", closeDetail)), h("p.empty", {}, error.message));
  } finally {
    clearTimeout(late);
  }
}

function render(told, holder) {
  if (told.id !== state().item) return;
  holder.replaceChildren(
    h("header.detail-head", {},
      h("div", {}, h("p.kicker", {}, passMark(told.pass), ` ${told.mode || ""} · level ${told.level || "?"}`),
        h("h2.num", {}, told.datetime ? `${told.datetime.slice(0, 10)} ${told.datetime.slice(11, 16)} UTC` : told.id),
        h("p.mono.break", {}, told.id)),
      iconButton("close", "Close (Escape)", closeDetail)),
    h("div.detail-body", {},
      actions(told), pictures(told), layerButtons(told), problems(told),
      ...told.groups.map(group), footprint(told), files(told), productFiles(told), fetchAgain(told), links(told)));
}

function actions(told) {
  const selected = state().sel.includes(told.id);
  return h("div.actions", { role: "group", "aria-label": "What to do with the scene" },
    h("button", { type: "button", onclick: () => fitGeometry(told.geometry) }, "Zoom to"),
    h("button", { type: "button", onclick: () => downloadDialog([told.id]) }, "Download …"),
    told.stack ? h("button", { type: "button", onclick: () => set({ stack: told.stack, item: "" }) }, "Stack") : null,
    h("button", { type: "button", "aria-pressed": String(selected), onclick: (event) => {
      toggle("sel", told.id);
      event.currentTarget.setAttribute("aria-pressed", String(state().sel.includes(told.id)));
    } }, "Select"),
    h("button", { type: "button", onclick: () => copy(new URL(linkTo({ item: told.id, stack: "" }), location.href).href, "Link copied") }, "Link"));
}

function pictures(told) {
  if (!told.browse.length) return null;
  return h("div.browse", { role: "group", "aria-label": "Pictures" }, told.browse.map((one) => h("a", { href: one.href, target: "_blank", rel: "noopener" },
    h("img", { src: told.browse.length === 1 ? one.href : one.thumbnail, alt: one.title || "Picture of the scene", loading: "lazy" }),
    h("span", {}, (one.title || "").split(",")[0]))));
}

function layerButtons(told) {
  if (!told.layers.length) return null;
  const holder = h("div.layer-buttons", { role: "group", "aria-label": "Show on the map" });
  const paint = () => {
    const shown = state().layers.find((one) => one.id === told.id);
    holder.replaceChildren(h("span.muted", {}, "On the map"), ...told.layers.map((layer) => h("button.small", {
      type: "button", "aria-pressed": String(shown?.name === layer.name), title: `Zoom ${layer.min_zoom} to ${layer.max_zoom}${layer.native_zoom === null ? "" : `, native ${layer.native_zoom}`}`,
      onclick: async () => {
        if (shown?.name === layer.name) hideScene(told.id);
        else {
          await showScene(told.id, layer.name);
          if (!map.getBounds().intersects(boundsOfLayer(layer))) fitGeometry(told.geometry);
        }
        paint();
      },
    }, layer.name)));
  };
  paint();
  layersOf(told.id);
  return holder;
}

function boundsOfLayer(layer) {
  const [w, s, e, n] = layer.bounds || [-180, -85, 180, 85];
  return L.latLngBounds([[s, w], [n, e < w ? e + 360 : e]]);
}

function problems(told) {
  const sentences = [...told.problems.map((one) => one.message || String(one)), ...told.notes];
  if (!sentences.length) return null;
  return h("div.warning", {}, h("h3", {}, "What was noticed"), h("ul", {}, sentences.map((text) => h("li", {}, text))));
}

function group({ name, rows }) {
  return h("section.group", {}, h("h3", {}, name), h("dl.facts", {}, rows.map(([label, value, unit]) => [
    h("dt", {}, label), h("dd", {}, valueOf(label, value, unit))])));
}

function valueOf(label, value, unit) {
  if (unit === "UTC") return h("span.num", {}, `${value.replace("T", " ").replace(/(\.\d{3})\d*/, "$1").replace("Z", "")} `, h("span.muted", {}, "UTC"));
  if (/^SHA-256/.test(label)) return checksum(value);
  const text = value.length > LONG && !value.includes(" ") ? h("span.break", {}, value) : value;
  return h("span.num", {}, text, unit ? [unit === "°" ? "" : " ", h("span.muted", {}, unit)] : null);
}

function checksum(value) {
  if (!value) return h("span.muted", {}, "–");
  return h("button.plain.mono.sum", { type: "button", title: `${value} – copy`, "aria-label": `SHA-256 ${value}, copy`, onclick: () => copy(value, "SHA-256 copied") }, `${value.slice(0, 12)}…`);
}

function footprint(told) {
  const report = told.footprint;
  if (!report) return null;
  const answers = report.answers || [];
  const distance = (one) => {
    if (one.chosen) return "chosen";
    if (one.distance_m === null || one.distance_m === undefined) return "–";
    return one.distance_m < 1000 ? `${one.distance_m.toFixed(one.distance_m < 10 ? 1 : 0)} m` : `${(one.distance_m / 1000).toFixed(1)} km`;
  };
  return h("section.group", {}, h("h3", {}, "Where it lies: who says so"),
    h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "On map"), h("th", { scope: "col" }, "Source"), h("th.right", { scope: "col" }, "Differs by"))),
      h("tbody", {}, answers.map((one, index) => h("tr", {},
        h("td", {}, h("input", { type: "checkbox", "aria-label": `Draw the footprint by ${SOURCES[one.source] || one.source}`, onchange: (event) => draw(one, index, event.target.checked) })),
        h("td", {}, h("b", {}, SOURCES[one.source] || one.source), h("div.muted", {}, one.method || ""), one.accepted === false ? h("div.bad", {}, `Not believed: ${one.reason}`) : null),
        h("td.right.num", {}, distance(one)))),
      (report.failures || []).map((one) => h("tr", {}, h("td", {}), h("td", {}, h("b", {}, SOURCES[one.source] || one.source), h("div.muted", {}, one.reason)), h("td.right.muted", {}, "no answer"))))),
    h("p.note", {}, "“Differs by” is the largest distance between the outlines."));
}

function draw(answer, index, on) {
  drawn ??= L.layerGroup().addTo(map);
  drawn.eachLayer((layer) => layer.options.answer === index && drawn.removeLayer(layer));
  if (!on) return;
  const color = ["--accent", "--bad", "--good", "--warn", "--ink"][index % 5];
  drawn.addLayer(L.geoJSON(areaGeometry({ geometry: answer.geometry }), { answer: index, pane: "area", interactive: false, style: { color: css(color), weight: 2.5, fill: false, dashArray: ["", "8 5", "2 5", "12 4 2 4", "4 4"][index % 5] } }));
}

function files(told) {
  if (!told.files.length) return null;
  return h("section.group", {}, h("h3", {}, "Files"), h("table.files", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "File"), h("th.right", { scope: "col" }, "Size"), h("th", { scope: "col" }, "SHA-256"))),
    h("tbody", {}, told.files.map((one) => h("tr", {},
      h("td", {}, h("a.break", { href: one.href, download: one.name.split("/").pop() }, one.name.replace(told.id, "…")), one.title ? h("div.muted", {}, one.title) : null),
      h("td.right.num.nowrap", {}, bytes(one.size)), h("td", {}, checksum(one.sha256)))))));
}

function productFiles(told) {
  if (!told.product_files.length) return null;
  const inside = told.files.some((one) => one.kind === "product");
  return h("details.group", {}, h("summary", {}, h("h3", {}, `${inside ? "In the product's zip" : "The product's files"} (${told.product_files.length})`)),
    h("table.files", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "File"), h("th.right", { scope: "col" }, "Size"), h("th", { scope: "col" }, "SHA-256"))),
      h("tbody", {}, told.product_files.map((one) => h("tr", {}, h("td.mono.break", {}, one.name), h("td.right.num.nowrap", {}, bytes(one.size)), h("td", {}, checksum(one.sha256)))))));
}

function fetchAgain(told) {
  const commands = commandsFor(told);
  return h("section.group", {}, h("h3", {}, "Fetch it"), commands.map(({ title, text }) => h("div.command", {},
    h("p.muted", {}, title), h("pre", { tabIndex: 0 }, text), iconButton("copy", `Copy: ${title}`, () => copy(text)))));
}

function links(told) {
  const neighbours = found.rows.findIndex((row) => row.id === told.id);
  const step = (by) => found.rows[neighbours + by];
  const go = (row, text) => (row ? h("button.small", { type: "button", onclick: () => set({ item: row.id }) }, `${text} ${dayOf(row)} ${PASS[row.pass] ? row.mode : ""}`) : null);
  return h("footer.detail-foot", {}, h("p", {}, h("a", { href: told.stac, target: "_blank", rel: "noopener" }, "STAC item (JSON)")),
    neighbours < 0 ? null : h("div.actions", {}, go(step(-1), "←"), go(step(1), "→")));
}
