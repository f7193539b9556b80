// Making elements, and saying things.

/** The element with an id. */
export const $ = (id) => document.getElementById(id);

/**
 * Make an element.
 * @param {string} tag  With classes: "button.small.plain".
 * @param {object} [given]  Properties; `on…` are listeners, what has a hyphen or is unknown an attribute.
 * @param {...(Node|string|null|Array)} children
 */
export function h(tag, given = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(given || {})) {
    if (value === null || value === undefined) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key in made && !key.includes("-") && key !== "list") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return made;
}

/** A drawn sign of icons.svg. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `static/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** A button that is a sign; `label` is read out and shown as a tip. */
export function iconButton(name, label, onclick, more = {}) {
  return h("button.icon", { type: "button", title: label, "aria-label": label, onclick, ...more }, icon(name));
}

/** Say something to who cannot see it. */
export function announce(text) {
  const live = $("live");
  live.textContent = "";
  setTimeout(() => { live.textContent = text; }, 60);
}

/** Show a sentence for some seconds. */
export function toast(text, kind = "") {
  const made = h(`div.toast${kind && `.${kind}`}`, {}, text);
  $("toasts").append(made);
  setTimeout(() => made.remove(), kind === "error" ? 8000 : 3500);
}

/** Open the dialog with a title and content; the answer is its element. */
export function openDialog(title, ...content) {
  const dialog = $("dialog");
  dialog.replaceChildren(
    h("div.dialog-head", {}, h("h2", { id: "dialog-title" }, title),
      iconButton("close", "Close", () => dialog.close())),
    h("div.dialog-body", {}, ...content),
  );
  if (!dialog.open) dialog.showModal();
  return dialog;
}

/** Put text on the clipboard; where that is not allowed (plain http), by the old way. */
export async function copy(text, said = "Copied") {
  let done = false;
  if (navigator.clipboard && isSecureContext) {
    done = await navigator.clipboard.writeText(text).then(() => true, () => false);
  }
  if (!done) {
    const area = h("textarea.hidden", { value: text });
    (($("dialog").open && $("dialog")) || document.body).append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
  }
  toast(done ? said : "The browser does not let this page copy.", done ? "" : "error");
}

/** Call once things have been quiet for a while. */
export function debounced(call, wait_ms) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...given), wait_ms);
  };
}

/** A size of a file in words. */
export function bytes(size) {
  if (size === null || size === undefined) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = size;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** A colour or size of the style sheet. */
export const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A count with its noun. */
export const counted = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
