// Finished stacks by their names: which ids are theirs, and what their layers are called.

const METRICS = {
  avg: "mean", max: "maximum", min: "minimum", median: "median", std: "std. deviation", cov: "variation",
  p5: "5th percentile", p95: "95th percentile", count: "valid dates", amplitude: "yearly amplitude",
  phase: "yearly peak", trend: "trend", model_mean: "model mean", residuals: "residuals",
};
const ID = /^ALOS2-STACK-(.+?)-(\d{4})(\d\d)(\d\d)-(\d{4})(\d\d)(\d\d)-[0-9a-f]+$/;

/** Whether an id is that of a finished stack. */
export const isStackId = (id) => ID.test(id || "");

/** A finished stack in a few letters: "P128 F0690", "Mosaic P128–P129". */
export function stackName(id) {
  const [, words] = id.match(ID) || [, id];
  const parts = words.split("-");
  if (parts[0] === "MOSAIC") return `Mosaic ${(parts[1] || "").replace("_", "–")}`;
  return parts.slice(0, 2).join(" ").replace("_", "–");
}

/** The first and the last day of a finished stack, by its id. */
export function stackDays(id) {
  const found = id.match(ID);
  return found ? [found.slice(2, 5).join("-"), found.slice(5, 8).join("-")] : ["", ""];
}

/** What a layer of a stack is called: "2020-06-15 HH", "mean RGB". */
export function layerTitle(name) {
  const cut = name.lastIndexOf("-");
  const [what, shows] = [name.slice(0, cut), name.slice(cut + 1)];
  const days = what.match(/\d{8}/g);
  if (!days) return `${METRICS[what] || what} ${shows}`;
  const words = days.map((day) => `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`);
  return `${words.join(" / ")} ${shows}`;
}
