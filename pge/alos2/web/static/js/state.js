// What a person has chosen. All of it stands in the address after the #, so that a link shows the
// same again, and the browser's back button goes back.

import { areaFromText, areaToText } from "./geo.js";

/** Filters that hold several values. */
export const LISTS = ["level", "mode", "pol", "pass", "look", "path", "frame", "kind", "tag"];
/** What changes which scenes are found. */
export const SEARCH = [...LISTS, "q", "area", "from", "to", "off_nadir"];

const EMPTY = {
  view: "map", tab: "scenes", q: "", area: null, from: "", to: "", off_nadir: "",
  ...Object.fromEntries(LISTS.map((name) => [name, []])),
  item: "", stack: "", pt: "", win: 1, layers: [], how: "", at: 50, base: "", map: null, sel: [],
};
const MOST_SELECTED = 200;
const LONGEST_AREA = 4000;

let current = read();
let written = location.hash;
const watchers = [];

/** The state as it is; not to be changed but by `set`. */
export function state() {
  return current;
}

/**
 * Change the state.
 * @param {object} patch  What is to be otherwise.
 * @param {{push?: boolean}} [how]  Whether the back button shall undo it (default), or not.
 */
export function set(patch, { push = true } = {}) {
  const next = { ...current, ...patch };
  const changed = Object.keys(patch).filter((key) => !same(current[key], next[key]));
  if (!changed.length) return;
  current = next;
  const hash = write(current);
  if (hash !== written) {
    written = hash;
    history[push ? "pushState" : "replaceState"](null, "", hash || location.pathname);
  }
  tell(changed);
}

/** Call `then(state, changed)` after each change of one of `keys` (all, if none are named). */
export function watch(keys, then) {
  watchers.push({ keys: keys && new Set(keys), then });
}

/** Take a value into a list of the state, or out of it. */
export function toggle(name, value) {
  const values = current[name];
  set({ [name]: values.includes(value) ? values.filter((v) => v !== value) : [...values, value] });
}

/** A patch that takes all filters away. */
export function noFilters() {
  return Object.fromEntries(SEARCH.map((key) => [key, EMPTY[key]]));
}

/** The address of a state that differs from this one by `patch`. */
export function linkTo(patch) {
  return location.pathname + write({ ...current, ...patch });
}

function tell(changed) {
  const set = new Set(changed);
  for (const { keys, then } of watchers) {
    if (!keys || [...keys].some((key) => set.has(key))) then(current, set);
  }
}

function same(a, b) {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function follow() {
  if (location.hash === written) return;
  written = location.hash;
  const next = read();
  const changed = Object.keys(EMPTY).filter((key) => !same(current[key], next[key]));
  current = next;
  if (changed.length) tell(changed);
}
addEventListener("popstate", follow);
addEventListener("hashchange", follow);

function write(state) {
  const words = [];
  const put = (name, value) => words.push(`${name}=${escape(value)}`);
  if (state.view !== "map") put("view", state.view);
  if (state.tab !== "scenes") put("tab", state.tab);
  for (const name of ["q", "from", "to", "off_nadir", "item", "stack", "base"]) {
    if (state[name]) put(name, state[name]);
  }
  // A place belongs to the stack whose page is open.
  if (state.pt && state.item) put("pt", state.pt);
  if (state.pt && state.item && state.win !== 1) put("win", state.win);
  for (const name of LISTS) {
    if (state[name].length) put(name, state[name].join(","));
  }
  if (state.area) {
    const text = areaToText(state.area);
    if (text.length <= LONGEST_AREA) put("area", text);
  }
  if (state.layers.length) {
    put("show", state.layers.map((one) => `${one.id}:${one.name}:${one.opacity}`).join(","));
  }
  if (state.how) put("compare", `${state.how}:${state.at}`);
  if (state.sel.length && state.sel.length <= MOST_SELECTED) put("sel", state.sel.join(","));
  if (state.map) put("map", `${state.map.zoom}/${state.map.lat}/${state.map.lon}`);
  return words.length ? `#${words.join("&")}` : "";
}

function escape(value) {
  return encodeURIComponent(value).replace(/%2[CF]|%3A|%20/g, (code) =>
    ({ "%2C": ",", "%2F": "/", "%3A": ":", "%20": "+" })[code]);
}

function read() {
  const given = new URLSearchParams(location.hash.slice(1));
  const state = { ...EMPTY };
  for (const name of ["view", "tab", "q", "from", "to", "off_nadir", "item", "stack", "pt", "base"]) {
    if (given.get(name)) state[name] = given.get(name);
  }
  if (!["map", "jobs"].includes(state.view)) state.view = "map";
  if (!["scenes", "filters", "stacks"].includes(state.tab)) state.tab = "scenes";
  for (const name of ["from", "to"]) {
    if (!/^\d{4}-\d\d-\d\d$/.test(state[name])) state[name] = "";
  }
  if (!/^-?\d+(\.\d+)?,-?\d+(\.\d+)?$/.test(state.pt)) state.pt = "";
  const win = Number(given.get("win"));
  if ([3, 5, 7, 9, 11].includes(win)) state.win = win;
  for (const name of [...LISTS, "sel"]) {
    state[name] = (given.get(name) || "").split(",").filter(Boolean);
  }
  if (given.get("area")) {
    try {
      state.area = areaFromText(given.get("area"));
    } catch {
      state.area = null; // An address that somebody has cut short: the rest of it still holds.
    }
  }
  state.layers = (given.get("show") || "").split(",").filter(Boolean).map((text) => {
    const [id, name, opacity] = text.split(":");
    return { id, name: name || "", opacity: bounded(opacity, 0, 100, 100) };
  }).filter((one) => one.id);
  const [how, at] = (given.get("compare") || "").split(":");
  if (["swipe", "blink"].includes(how)) {
    state.how = how;
    state.at = bounded(at, 0, 100, 50);
  }
  const [zoom, lat, lon] = (given.get("map") || "").split("/").map(Number);
  if ([zoom, lat, lon].every(Number.isFinite)) {
    state.map = { zoom: bounded(zoom, 1, 20, 2), lat: bounded(lat, -85, 85, 0), lon };
  }
  return state;
}

function bounded(text, low, high, other) {
  const number = Number.parseFloat(text);
  return Number.isFinite(number) ? Math.min(high, Math.max(low, number)) : other;
}
