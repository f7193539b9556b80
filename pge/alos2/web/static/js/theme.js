// Light and dark: as the system has it, until a person chooses otherwise.

import { $ } from "./dom.js";
import { recolour } from "./map.js";
import { recolourSeries } from "./series.js";
import { recolourStack } from "./stack.js";

const KEY = "alos2-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

/** Make the switch work. */
export function startTheme() {
  $("theme").addEventListener("click", switchTheme);
  system.addEventListener("change", apply);
  apply();
}

/** The other of the two. */
export function switchTheme() {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  if ((next === "dark") === system.matches) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, next);
  apply();
}

function apply() {
  const wanted = localStorage.getItem(KEY);
  const dark = wanted ? wanted === "dark" : system.matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  const words = dark ? "Light colours (t)" : "Dark colours (t)";
  $("theme").title = words;
  $("theme-name").textContent = words;
  recolour();
  recolourStack();
  recolourSeries();
}
