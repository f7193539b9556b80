// Filters with how many scenes each of their values would leave, and chips of what is chosen.

import { found, onFound } from "./data.js";
import { $, debounced, h, iconButton } from "./dom.js";
import { areaInWords } from "./geo.js";
import { LISTS, SEARCH, noFilters, set, state, toggle, watch } from "./state.js";

const FIRST = 8;
const TITLES = {
  pass: "Pass", mode: "Mode", pol: "Polarisation", level: "Level", look: "Looks to the", path: "Path",
  frame: "Frame", off_nadir: "Off-nadir angle", kind: "Kind of dataset", tag: "Tags",
};
const WORDS = {
  pass: { A: "Ascending", D: "Descending" }, look: { L: "Left", R: "Right" },
  mode: {
    SBS: "Spotlight", UBS: "Ultra-fine 3 m", UBD: "Ultra-fine 3 m, dual", HBS: "High-sensitive 6 m", HBD: "High-sensitive 6 m, dual", HBQ: "High-sensitive 6 m, quad",
    FBS: "Fine 10 m", FBD: "Fine 10 m, dual", FBQ: "Fine 10 m, quad", WBS: "ScanSAR 350 km", WBD: "ScanSAR 350 km, dual", WWS: "ScanSAR 350 km, wide band", WWD: "ScanSAR 350 km, wide band, dual", VBS: "ScanSAR 490 km", VBD: "ScanSAR 490 km, dual",
  },
  kind: { alos2_slc: "Single-look complex", alos2_slc_md: "Single-look complex, metadata only" },
};
const opened = new Set();

/** A value of a filter in words. */
function inWords(name, value) {
  if (name === "level") return `Level ${value}`;
  if (name === "kind" && !WORDS.kind[value]) return value.replace(/_md$/, ", metadata only").replace(/_/g, " ").replace(/^L/, "Level ");
  return WORDS[name]?.[value] || value;
}

/** Make the filters work. */
export function startFilters() {
  onFound("facets", render);
  watch(SEARCH, () => {
    chips();
    fields();
    if (found.facets) render();
  });
  const typed = debounced(() => set({ q: $("q").value.trim() }, { push: false }), 300);
  $("q").addEventListener("input", typed);
  for (const name of ["from", "to"]) {
    $(name).addEventListener("change", () => set({ [name]: $(name).value }));
  }
  $("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    set({ q: $("q").value.trim() });
  });
  chips();
  fields();
}

function fields() {
  const now = state();
  for (const name of ["q", "from", "to"]) {
    if ($(name) !== document.activeElement || !now[name]) $(name).value = now[name];
  }
  const reversed = now.from && now.to && now.from > now.to;
  $("to").setAttribute("aria-invalid", String(Boolean(reversed)));
}

function chips() {
  const now = state();
  const made = [];
  const chip = (text, patch) => made.push(h("button.chip", { type: "button", "aria-label": `Take away: ${text}`, onclick: () => set(patch) }, text, h("span.x", { "aria-hidden": "true" }, "×")));
  if (now.q) chip(`“${now.q}”`, { q: "" });
  if (now.area) chip(areaInWords(now.area), { area: null });
  if (now.from || now.to) chip(`${now.from || "…"} to ${now.to || "…"}`, { from: "", to: "" });
  for (const name of LISTS) {
    for (const value of now[name]) {
      const word = ["path", "frame"].includes(name) ? `${TITLES[name]} ${value}` : name === "mode" ? value : inWords(name, value);
      chip(word, { [name]: now[name].filter((v) => v !== value) });
    }
  }
  if (now.off_nadir) chip(`Off-nadir ${now.off_nadir.replace("/", "–")}°`, { off_nadir: "" });
  if (made.length > 1) made.push(h("button.plain.small", { type: "button", onclick: () => set(noFilters()) }, "Clear all"));
  $("chips").replaceChildren(...made);
  $("chips").hidden = !made.length;
  const chosen = LISTS.filter((name) => now[name].length).length + (now.off_nadir ? 1 : 0);
  $("count-filters").textContent = chosen || "";
}

function render() {
  const panel = $("filters");
  const focus = document.activeElement?.closest?.("#filters") ? document.activeElement.dataset.key : null;
  panel.replaceChildren(...["pass", "mode", "pol", "level", "look", "path", "frame", "off_nadir", "kind", "tag"]
    .map((name) => (name === "off_nadir" ? angles() : values(name))).filter(Boolean));
  if (focus) panel.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
}

function values(name) {
  const chosen = state()[name];
  const counts = { ...found.facets[name] };
  for (const value of chosen) counts[value] ??= 0;
  const all = Object.entries(counts);
  if (!all.length) return null;
  const isOpen = opened.has(name);
  const shown = isOpen ? all : all.filter(([value], i) => i < FIRST || chosen.includes(value));
  const id = `filter-${name}`;
  return h("fieldset.filter", { id },
    h("legend", {}, TITLES[name]),
    h("div.filter-values", {}, shown.map(([value, count]) => h("label.value", { class: count ? "value" : "value none" },
      h("input", { type: "checkbox", checked: chosen.includes(value), "data-key": `${name}:${value}`, onchange: () => toggle(name, value) }),
      h("span.value-name", {}, name === "mode" ? h("b", {}, value) : null, name === "mode" ? ` ${WORDS.mode[value] || ""}` : inWords(name, value)),
      h("span.value-count.num", {}, count.toLocaleString("en"))))),
    all.length > FIRST ? h("button.plain.small", {
      type: "button", "data-key": `${name}:more`, "aria-expanded": String(isOpen), "aria-controls": id,
      onclick: () => {
        if (isOpen) opened.delete(name);
        else opened.add(name);
        render();
      },
    }, isOpen ? "Fewer" : `All ${all.length}`) : null);
}

function angles() {
  const known = Object.keys(found.facets.off_nadir || {}).map(Number);
  if (!known.length && !state().off_nadir) return null;
  const [low, high] = state().off_nadir ? state().off_nadir.split("/") : ["", ""];
  const take = () => {
    const [a, b] = ["angle-low", "angle-high"].map((id) => $(id).value);
    set({ off_nadir: a || b ? `${a || 0}/${b || 90}` : "" });
  };
  const field = (id, value, label, hint) => h("input.num", { id, type: "number", min: 0, max: 90, step: 0.1, value, placeholder: hint, "aria-label": label, "data-key": id, onchange: take });
  const least = known.length ? Math.floor(Math.min(...known)) : 0;
  const most = known.length ? Math.ceil(Math.max(...known)) : 90;
  return h("fieldset.filter", {}, h("legend", {}, TITLES.off_nadir),
    h("div.angles", {}, field("angle-low", low, "Least off-nadir angle, degrees", String(least)), h("span", {}, "to"),
      field("angle-high", high, "Largest off-nadir angle, degrees", String(most)), h("span", {}, "°"),
      state().off_nadir ? iconButton("close", "Any angle", () => set({ off_nadir: "" })) : null));
}
