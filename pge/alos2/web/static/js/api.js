// Asking our server. Nothing is ever asked of another one, but base maps that a person chooses.

import { LISTS } from "./state.js";

let token = sessionStorage.getItem("alos2-token") || "";

/** What the server says when it does not do what was asked. */
export class ServerError extends Error {
  constructor(status, code, description) {
    super(description);
    this.status = status;
    this.code = code;
  }
}

/** The server's token, for this tab alone. */
export function setToken(text) {
  token = text.trim();
  if (token) sessionStorage.setItem("alos2-token", token);
  else sessionStorage.removeItem("alos2-token");
}
export const hasToken = () => token !== "";

/** Headers of a request that may need the token. */
export const headers = (more = {}) => (token ? { Authorization: `Bearer ${token}`, ...more } : more);

/**
 * Ask.
 * @param {string} path
 * @param {{query?: object, body?: object, method?: string, signal?: AbortSignal}} [given]
 */
export async function ask(path, { query, body, method, signal } = {}) {
  const search = query ? `?${new URLSearchParams(query)}` : "";
  let answer;
  try {
    answer = await fetch(path + search, {
      method: method || (body ? "POST" : "GET"),
      headers: headers(body ? { "Content-Type": "application/json" } : {}),
      body: body && JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError(0, "Offline", "The server does not answer. Is alos2 serve still running?");
  }
  const text = await answer.text();
  let told = null;
  try {
    told = text ? JSON.parse(text) : null;
  } catch {
    throw new ServerError(answer.status, "NoJson", `The server answers with something else (${answer.status}).`);
  }
  if (!answer.ok) {
    throw new ServerError(answer.status, told?.code || "Error", told?.description || `The server says ${answer.status}.`);
  }
  return told;
}

/** What is searched for, as the server wants it. */
export function searchOf(state) {
  const body = {};
  for (const name of LISTS) if (state[name].length) body[name] = state[name];
  if (state.q) body.q = state.q;
  if (state.off_nadir) body.off_nadir = state.off_nadir;
  if (state.from || state.to) body.datetime = `${state.from || ".."}/${state.to || ".."}`;
  if (state.area?.bbox) body.bbox = state.area.bbox;
  else if (state.area) {
    const { type, coordinates, geometries } = state.area.geometry;
    body.intersects = geometries ? { type, geometries } : { type, coordinates };
  }
  return body;
}

const items = new Map();

/** An item's page; asked once. */
export function item(id) {
  if (!items.has(id)) {
    const asked = ask(`api/items/${encodeURIComponent(id)}`);
    items.set(id, asked);
    asked.catch(() => items.delete(id));
    if (items.size > 300) items.delete(items.keys().next().value);
  }
  return items.get(id);
}

const products = new Map();

/** All of a finished stack; asked once. */
export function product(id) {
  if (!products.has(id)) {
    const asked = ask(`api/stackproducts/${encodeURIComponent(id)}`);
    products.set(id, asked);
    asked.catch(() => products.delete(id));
    if (products.size > 30) products.delete(products.keys().next().value);
  }
  return products.get(id);
}

/** Forget what is known of items: something has been ingested. */
export function forgetItems() {
  items.clear();
  products.clear();
}

/** Address of a small picture. */
export const thumbnail = (id) => `thumbnails/${encodeURIComponent(id)}`;
