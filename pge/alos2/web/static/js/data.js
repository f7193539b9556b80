// The scenes that are found: asked for when the search changes, and told to all who show them.

import { ask, searchOf } from "./api.js";
import { announce, counted, debounced, toast } from "./dom.js";
import { isStackId, layerTitle, stackName } from "./stacklayers.js";
import { SEARCH, state, watch } from "./state.js";

/** Most rows that are asked for at once; beyond it people are asked to narrow their search. */
const MOST_ROWS = 20000;
/** How many are asked for before all of them when the page opens, so that it is not long empty. */
const FIRST_ROWS = 300;

/** What is known: `rows` newest first, `byId`, `total`, `complete`, `facets`, `failed`. */
export const found = { rows: [], byId: new Map(), total: null, complete: true, partial: false, facets: null, failed: "", generation: 0 };

const watchers = { rows: [], facets: [], hover: [] };
/** Call `then(found)` when rows or facets have come, or `then(id)` when another scene is pointed at. */
export const onFound = (what, then) => watchers[what].push(then);

let hovered = "";
let hoveredFrom = "";
/** Say which scene is pointed at, in the list or on the map; "" for none. `from`: who says so. */
export function hover(id, from) {
  // Who leaves says so later than who is entered: a stale word takes nothing away.
  if (id === hovered || (!id && from !== hoveredFrom)) return;
  [hovered, hoveredFrom] = [id, from];
  watchers.hover.forEach((then) => then(id, from));
}
export const hoveredId = () => hovered;

let asking = null;
const searchSoon = debounced(search, 150);

/** Ask for the rows and counts of the present search. */
export async function search() {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const body = searchOf(state());
  try {
    let rows = null;
    if (found.total === null) {
      rows = await ask("api/rows", { body: { ...body, limit: FIRST_ROWS }, signal });
      takeRows(rows, !rows.complete);
    }
    const facets = ask("api/facets", { body, signal });
    facets.catch(() => {});
    if (!rows?.complete) takeRows(await ask("api/rows", { body: { ...body, limit: MOST_ROWS }, signal }), false);
    found.facets = (await facets).facets;
    watchers.facets.forEach((then) => then(found));
  } catch (error) {
    if (error.name === "AbortError") return;
    found.failed = error.message;
    toast(error.message, "error");
    watchers.rows.forEach((then) => then(found));
  }
}

function takeRows({ columns, rows, total, complete }, partial) {
  found.rows = rows.map((values) => {
    const row = {};
    for (let i = 0; i < columns.length; i += 1) row[columns[i]] = values[i];
    return row;
  });
  found.byId = new Map(found.rows.map((row) => [row.id, row]));
  Object.assign(found, { total, complete, partial, failed: "", generation: found.generation + 1 });
  watchers.rows.forEach((then) => then(found));
  if (!partial) announce(total ? `${counted(total, "scene")} found` : "No scene found");
}

watch(SEARCH, searchSoon);

/** West, south, east, north of a row; east beyond 180 where it crosses the antimeridian. */
export const boxOf = (row) => [row.w, row.s, row.e < row.w ? row.e + 360 : row.e, row.n];

export const PASS = { A: "ascending", D: "descending" };
export const LOOK = { L: "left", R: "right" };

/** A day of a row, as 2020-01-31. */
export const dayOf = (row) => (row.t === null ? "no date" : new Date(row.t).toISOString().slice(0, 10));

/** A scene in a few letters, by its id alone if the list does not have it: its day and mode. */
export function shortName(id) {
  if (isStackId(id)) return stackName(id);
  const row = found.byId.get(id);
  if (row) return `${dayOf(row)} ${row.mode || ""}`.trim();
  const [, y, m, d, mode] = id.match(/^ALOS2\d{9}-(\d\d)(\d\d)(\d\d)-([A-Z]{3})/) || [];
  return mode ? `20${y}-${m}-${d} ${mode}` : id;
}

/** A layer on the map in a few letters. */
export const layerName = ({ id, name }) => (isStackId(id) ? layerTitle(name) : `${shortName(id)} ${name}`);

/** When a row was taken, in words. */
export function timeOf(row) {
  return row.t === null ? "" : `${new Date(row.t).toISOString().slice(11, 16)} UTC`;
}

let fitter = () => {};
/** Who moves the map to a scene; the map itself says so. */
export const setFitter = (then) => { fitter = then; };
/** Move the map so that a scene can be seen, if it cannot. */
export const fitTo = (row) => fitter(row);
