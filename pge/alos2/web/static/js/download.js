// Taking files along: one, a list, or the command that fetches or ingests them.

import { ask, searchOf } from "./api.js";
import { found } from "./data.js";
import { bytes, copy, counted, h, openDialog, toast } from "./dom.js";
import { state } from "./state.js";

const PAGE = 200;
/** Keys of a stack's dates and metrics: 20200615-hh, avg-hv. */
const OF_STACK = /^(?!overview|thumbnail|quicklook|tiles)\w+(-\d{8})?-(hh|hv|vh|vv)$/;
const KINDS = {
  product: { title: "Products (JAXA's files, one zip a scene)", fits: (key) => key === "product" },
  pictures: { title: "Pictures (PNG)", fits: (key) => /^(overview|quicklook|animation|blink)/.test(key) || /-png$/.test(key) },
  data: { title: "Calibrated data (COG)", fits: (key) => key.startsWith("sigma0") || OF_STACK.test(key) },
  metadata: { title: "Metadata (JSON)", fits: (key) => key === "dataset" || key === "met" },
};

/** Put text into single quotes for a shell. */
const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`);

/** The commands that bring a scene into an archive again, from where it came. */
export function commandsFor(told) {
  const source = told.source || {};
  const scene = told.id.slice(0, 21);
  const product = told.files.find((one) => one.kind === "product");
  const made = [];
  if (product) {
    made.push({ title: "From this server", text: `curl -fL -C - -O ${quoted(product.href)}` });
    made.push({ title: "Into an archive of your own, from this server", text: `alos2 ingest ${quoted(product.href)}` });
  }
  const word = { auig2: "auig2", gportal: "gportal", "sentinel-asia": "sentinel-asia", optemis: "optemis" }[source.provider];
  if (word === "auig2" && source.order_id) made.push({ title: "From AUIG2, as it was ordered", text: `alos2 ingest auig2 ${quoted(source.order_id)}` });
  else if (word === "gportal") made.push({ title: "From G-Portal", text: `alos2 ingest gportal ${quoted(source.data_id || scene)}` });
  else if (word) made.push({ title: `From ${source.provider}`, text: `alos2 ingest ${word} ${quoted(source.eor_id || source.order_id || scene)}` });
  else if (source.url) made.push({ title: "From where it came", text: `alos2 ingest ${quoted(source.url)}` });
  if (!product) {
    const place = told.groups.flatMap((g) => g.rows).find(([label]) => label === "Files stay at")?.[1];
    if (place) made.push({ title: "Where its files lie", text: `alos2 ingest ${quoted(place)}` });
  }
  if (!made.length) made.push({ title: "From G-Portal, if JAXA gives it out there", text: `alos2 ingest gportal ${quoted(scene)}` });
  return made;
}

/** Open the dialog that gives out files: of scenes `ids`, or of all that is found if null. */
export async function downloadDialog(ids = null) {
  const scenes = ids?.length ?? found.total;
  const status = h("p.muted", { role: "status" }, "Asking what there is …");
  const dialog = openDialog(ids ? `Download ${counted(scenes, "scene")}` : `Download all ${counted(scenes, "scene")} found`, status);
  try {
    const assets = await assetsOf(ids, (done) => { status.textContent = `Asking what there is … ${done.toLocaleString("en")} of ${scenes.toLocaleString("en")}`; });
    if (dialog.open) fill(dialog, assets, status);
  } catch (error) {
    status.textContent = error.message;
  }
}

async function assetsOf(ids, progress) {
  const all = [];
  const parts = ids ? chunks(ids, PAGE) : [null];
  let done = 0;
  for (const part of parts) {
    let token = null;
    do {
      const search = part ? { ids: part } : stacSearch();
      const page = await ask("stac/search", { body: { ...search, limit: PAGE, fields: { include: ["id", "assets"], exclude: ["geometry", "links"] }, ...(token ? { token } : {}) } });
      for (const feature of page.features) {
        for (const [key, asset] of Object.entries(feature.assets || {})) all.push({ id: feature.id, key, href: asset.href, size: asset["file:size"] || 0 });
      }
      done += page.features.length;
      progress(done);
      token = nextToken(page);
    } while (token);
  }
  return all;
}

function nextToken(page) {
  const next = (page.links || []).find((link) => link.rel === "next");
  return next ? next.body?.token || new URL(next.href, location.href).searchParams.get("token") : null;
}

const chunks = (list, size) => Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
const stacSearch = () => searchOf(state());

function fill(dialog, assets, status) {
  status.remove();
  const chosen = new Set([assets.some((one) => one.key === "product") ? "product" : "data"]);
  const summary = h("p.num", { role: "status" });
  const tabs = h("div.group", { role: "group", "aria-label": "As what" });
  const text = h("pre", { tabIndex: 0, "aria-label": "What will be copied or saved" });
  const buttons = h("div.actions");
  let form = "curl";
  const paint = () => {
    const files = assets.filter(({ key }) => [...chosen].some((kind) => KINDS[kind].fits(key)));
    summary.textContent = `${counted(files.length, "file")}, ${bytes(files.reduce((sum, one) => sum + one.size, 0))}`;
    const { body, name, lines } = FORMS[form].make(files);
    text.textContent = lines.length > 12 ? `${lines.slice(0, 12).join("\n")}\n… ${lines.length - 12} more lines` : body;
    tabs.replaceChildren(...Object.entries(FORMS).map(([key, { title }]) => h("button.small", { type: "button", "aria-pressed": String(key === form), onclick: () => {
      form = key;
      paint();
    } }, title)));
    buttons.replaceChildren(
      h("button.primary", { type: "button", disabled: !files.length, onclick: () => copy(body) }, "Copy"),
      h("button", { type: "button", disabled: !files.length, onclick: () => save(name, body) }, `Save as ${name}`),
      ...(files.length === 1 ? [h("a.button", { href: files[0].href, download: "" }, "Download now")] : []));
  };
  const kinds = Object.entries(KINDS).map(([kind, { title, fits }]) => {
    const count = assets.filter(({ key }) => fits(key)).length;
    return h("label.check", {}, h("input", { type: "checkbox", checked: chosen.has(kind) && count > 0, disabled: !count, onchange: (event) => {
      if (event.target.checked) chosen.add(kind);
      else chosen.delete(kind);
      paint();
    } }), h("span", {}, title, h("span.muted.num", {}, `  ${count.toLocaleString("en")}`)));
  });
  paint();
  dialog.querySelector(".dialog-body").replaceChildren(h("div.kinds", {}, kinds), summary, tabs, text, buttons);
}

const lines = (list) => ({ lines: list, body: `${list.join("\n")}\n` });
const FORMS = {
  curl: {
    title: "curl",
    make: (files) => ({ name: "download.sh", ...lines(["#!/bin/sh", "# Goes on where it ended when it is run again.", ...files.map((one) => `curl -fL -C - --create-dirs -o ${quoted(fileName(one))} ${quoted(one.href)}`)]) }),
  },
  aria2c: {
    title: "aria2c",
    make: (files) => ({ name: "download.aria2.txt", ...lines(["# aria2c -c -x4 -i download.aria2.txt", ...files.flatMap((one) => [one.href, `  out=${fileName(one)}`])]) }),
  },
  urls: { title: "List of addresses", make: (files) => ({ name: "addresses.txt", ...lines(files.map((one) => one.href)) }) },
  ingest: {
    title: "alos2 ingest",
    make: (files) => ({ name: "ingest.sh", ...lines(["#!/bin/sh", ...files.filter((one) => one.key === "product").map((one) => `alos2 ingest ${quoted(one.href)}`)]) }),
  },
  python: {
    title: "Python",
    make: () => ({ name: "search.py", ...lines(["from pystac_client import Client", "", `client = Client.open("${new URL("stac", location.href).href}")`, `search = client.search(**${python(searchOf(state()))})`, "for item in search.items():", "    print(item.id, item.assets)"]) }),
  },
};

/** The search as Python; what only this page knows is told in CQL2. */
function python(search) {
  const given = { ...search };
  const filters = [];
  const names = { level: "alos2:level", mode: "sar:instrument_mode", pass: "alos2:pass", look: "alos2:look", path: "alos2:path", frame: "alos2:frame", kind: "alos2:type" };
  for (const [key, name] of Object.entries(names)) {
    if (!given[key]) continue;
    filters.push(`"${name}" IN (${given[key].map((v) => (key === "path" ? v : `'${v}'`)).join(", ")})`);
    delete given[key];
  }
  if (given.pol) filters.push(`A_CONTAINS("sar:polarizations", (${given.pol.map((v) => `'${v}'`).join(", ")}))`);
  if (given.off_nadir) filters.push(`"view:off_nadir" BETWEEN ${given.off_nadir.replace("/", " AND ")}`);
  for (const key of ["pol", "off_nadir", "tag"]) delete given[key];
  if (filters.length) Object.assign(given, { filter: filters.join(" AND "), filter_lang: "cql2-text" });
  return JSON.stringify(given);
}

const fileName = (one) => `${one.id}/${decodeURIComponent(one.href.split("/").pop())}`;

function save(name, body) {
  const address = URL.createObjectURL(new Blob([body], { type: "text/plain" }));
  const link = h("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
  toast(`Saved ${name}`);
}
