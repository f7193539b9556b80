// Where the page begins.

import { ask } from "./api.js";
import { isDrawing, startArea } from "./area.js";
import { startCompare } from "./compare.js";
import { boxOf, found, search, setFitter } from "./data.js";
import { $, toast } from "./dom.js";
import { downloadDialog } from "./download.js";
import { startFilters } from "./filters.js";
import { legend, startFrame } from "./frame.js";
import { startDetail } from "./item.js";
import { startJobs } from "./jobs.js";
import { startKeys } from "./keys.js";
import { startLayers } from "./layers.js";
import { startList } from "./list.js";
import { fit, map, startMap } from "./map.js";
import { startPixel } from "./pixel.js";
import { startProduct } from "./product.js";
import { startStacks } from "./stack.js";
import { set, state } from "./state.js";
import { startTheme } from "./theme.js";
import { startTimeline } from "./timeline.js";

const session = ask("api/session");
session.then((told) => {
  document.title = told.title;
  $("title").textContent = told.title;
  legend(told.basemaps || []);
}, (error) => {
  toast(error.message, "error");
  legend([]);
});

startMap(isDrawing, session.then((told) => told.basemaps || [], () => []));
setFitter((row) => {
  const [w, s, e, n] = boxOf(row);
  const view = map.getBounds();
  const tiny = map.latLngToContainerPoint([n, w]).distanceTo(map.latLngToContainerPoint([s, e])) < 60;
  if (tiny || !view.intersects([[s, w], [n, e]])) fit([w, s, e, n]);
});
startFrame();
startList();
startFilters();
startTimeline();
startArea();
startCompare();
startLayers();
startProduct();
startDetail();
startStacks();
startPixel();
startTheme();
startJobs(session);
startKeys(session, neighbour);
$("download-list").addEventListener("click", () => downloadDialog(state().sel.length ? state().sel : null));
search();

/** Open the scene before or after the one that is open. */
function neighbour(by) {
  const at = found.rows.findIndex((row) => row.id === state().item);
  const next = found.rows[at < 0 ? 0 : at + by];
  if (next) set({ item: next.id, stack: "" });
}
