// Keys, and the page that tells them.

import { choose, isDrawing, takeView } from "./area.js";
import { blinkOnce, pauseBlink } from "./compare.js";
import { $, h, openDialog } from "./dom.js";
import { closeDetail } from "./item.js";
import { focusList } from "./list.js";
import { fitRows, map } from "./map.js";
import { chooseTab } from "./frame.js";
import { set, state } from "./state.js";
import { switchTheme } from "./theme.js";

const KEYS = [
  ["?", "this help"],
  ["/", "to the search field"],
  ["l", "to the list of scenes; there ↑ ↓ ← → Page Home End go, Enter opens, space selects"],
  ["m", "to the map; there the arrows move it, + and − zoom, the readout is of its middle; Enter shows the series there, if a stack is open"],
  ["f", "filters"], ["s", "stacks"],
  ["r", "draw a rectangle"], ["g", "draw a polygon (Enter closes, Backspace takes a corner back)"], ["v", "search what the map shows"],
  ["0", "show all that is found"],
  ["[  ]", "the scene before, the scene after"],
  ["space", "stop blinking, or go on; b shows the other picture"],
  ["t", "light or dark"], ["j", "jobs"],
  ["Escape", "close what is open"],
];

/** Make the keys work. */
export function startKeys(session, neighbour) {
  $("help").addEventListener("click", () => help(session));
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const inField = event.target.closest("input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea, select");
    if (event.key === "Escape") escape(inField);
    else if (!inField && !$("dialog").open && act(event.key, session, neighbour)) event.preventDefault();
  });
}

function escape(inField) {
  if ($("dialog").open) return; // The dialog does that itself.
  if (inField) inField.blur();
  else if (state().item || state().stack) closeDetail();
  else if (state().how) set({ how: "" });
}

function act(key, session, neighbour) {
  const onButton = document.activeElement?.matches("button, a, summary, [role=slider], input");
  const acts = {
    "?": () => help(session),
    "/": () => { $("q").focus(); $("q").select(); },
    l: () => { chooseTab("scenes"); focusList(); },
    m: () => map.getContainer().focus(),
    f: () => { chooseTab("filters"); $("tab-filters").focus(); },
    s: () => { chooseTab("stacks"); $("tab-stacks").focus(); },
    r: () => choose("box"), g: () => choose("polygon"), v: () => takeView(),
    0: () => fitRows(),
    "[": () => neighbour(-1), "]": () => neighbour(1),
    b: () => state().how === "blink" && blinkOnce(),
    t: () => switchTheme(),
    j: () => set({ view: state().view === "jobs" ? "map" : "jobs" }),
  };
  if (key === " " && state().how === "blink" && !onButton) {
    pauseBlink();
    return true;
  }
  if (!(key in acts) || isDrawing()) return false;
  acts[key]();
  return true;
}

async function help(session) {
  const { version } = await session.catch(() => ({}));
  openDialog("Help",
    h("p", {}, "Search an area, dates and filters at the left; what is found is in the list and on the map. Everything you choose is in the page's address: copy it to show somebody the same."),
    h("h3", {}, "Keys"),
    h("dl.keys", {}, KEYS.map(([key, does]) => [h("dt", {}, key.split("  ").map((one) => h("kbd", {}, one))), h("dd", {}, does)])),
    h("h3", {}, "For programs"),
    h("p", {}, "The same archive is a STAC API under ", h("a", { href: "stac", target: "_blank", rel: "noopener" }, new URL("stac", location.href).href), ": for pystac-client, QGIS and STAC Browser."),
    h("h3", {}, "About"),
    h("p.muted", {}, `alos2-ingest ${version || ""}. Map by Leaflet (BSD-2-Clause), plot by uPlot (MIT), base map of Natural Earth (public domain) in the form of world-atlas, read by topojson-client (ISC). `,
      h("a", { href: "static/vendor/NOTICE.md", target: "_blank", rel: "noopener" }, "Licences")));
}
