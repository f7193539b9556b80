// What is being ingested, how far it is, and what failed with why; and the form that asks for more.

import { ask, forgetItems, hasToken, headers, setToken } from "./api.js";
import { search } from "./data.js";
import { $, announce, bytes, counted, h, toast } from "./dom.js";
import { set, watch } from "./state.js";

const KINDS = {
  url: { title: "Address (URL)", label: "Address of a delivery", hint: "https://…, sftp://…, s3://… of a zip. No passwords in it: the server knows its own.", example: "https://example.org/0000123456_001001_ALOS2….zip" },
  auig2: { title: "AUIG2 order", label: "Order id", hint: "As AUIG2 shows it, ten digits.", example: "0000123456" },
  gportal: { title: "G-Portal product", label: "Scene or product id", hint: "ALOS2oooooffff-YYMMDD, or with the product.", example: "ALOS2327430690-200615" },
  "sentinel-asia": { title: "Sentinel Asia request", label: "Emergency observation request", hint: "ERJP-JX-… or EORCO…", example: "ERAAAA000001" },
  optemis: { title: "OPTEMIS file", label: "File id", hint: "As OPTEMIS calls it.", example: "12345" },
};
const STATES = { waiting: "Waiting", running: "Running", done: "Done", failed: "Failed", cancelled: "Cancelled" };
const STAGES = { download: "Downloading", upload: "Uploading", unpack: "Unpacking", tiles: "Drawing tiles", publish: "Publishing" };
const POLL_MS = 4000;

let jobs = [];
let facts = { allow_ingest: false, may_ingest: false, needs_token: false };
let source = null;
let uploads = [];
const opened = new Set();
const logs = new Map();

/** Make the page of jobs work. */
export async function startJobs(session) {
  facts = await session.catch(() => facts);
  $("page-jobs").replaceChildren(
    h("div.jobs-page", {}, h("section.jobs-form", { "aria-labelledby": "jobs-new" }, form()),
      h("section.jobs-list", { "aria-labelledby": "jobs-title" },
        h("div.jobs-head", {}, h("h2", { id: "jobs-title" }, "Jobs"), h("button.small", { type: "button", id: "jobs-clear", hidden: true, onclick: clear }, "Clear what is finished")),
        h("ul", { id: "jobs", role: "list" }), h("p.empty", { id: "jobs-empty" }, ""))));
  if (!facts.allow_ingest) {
    render();
    return;
  }
  watch(["view"], listen);
  listen();
}

/** Follow the jobs by the server's events; where these are cut, by asking again. */
function listen() {
  if (source) return;
  source = new EventSource("api/jobs/events");
  source.addEventListener("jobs", (event) => take(JSON.parse(event.data).jobs));
  source.addEventListener("error", () => {
    // Cut off for a while: the browser itself comes back. Closed: it is asked again here.
    if (source.readyState !== EventSource.CLOSED) return;
    source.close();
    source = null;
    setTimeout(async () => {
      try {
        take((await ask("api/jobs")).jobs);
        listen();
      } catch {
        setTimeout(listen, POLL_MS);
      }
    }, POLL_MS);
  });
}

function take(told) {
  const before = new Map(jobs.map((job) => [job.id, job.state]));
  let finished = false;
  for (const job of told) {
    const was = before.get(job.id);
    if (was && was !== job.state && ["done", "failed", "cancelled"].includes(job.state)) {
      announce(`${STATES[job.state]}: ${job.title}`);
      if (job.state === "failed") toast(`Failed: ${job.title}`, "error");
      finished = true;
    }
  }
  jobs = told;
  if (finished) {
    forgetItems();
    search();
  }
  render();
}

function form() {
  if (!facts.allow_ingest) {
    return [h("h2", { id: "jobs-new" }, "Ingest"), h("p.muted", {}, "This server does not ingest from the page. The operator allows it with ", h("code", {}, "alos2 serve --allow-ingest"), "; on a command line, ", h("code", {}, "alos2 ingest"), " always does.")];
  }
  const kind = h("select", { id: "job-kind", onchange: () => label() }, Object.entries(KINDS).map(([key, { title }]) => h("option", { value: key }, title)));
  const field = h("input", { type: "text", id: "job-source", required: true, autocomplete: "off", spellcheck: false, "aria-describedby": "job-hint" });
  const name = h("label", { for: "job-source" });
  const hint = h("p.note", { id: "job-hint" });
  const label = () => {
    const chosen = KINDS[kind.value];
    [name.textContent, hint.textContent, field.placeholder] = [chosen.label, chosen.hint, chosen.example];
  };
  label();
  const force = h("input", { type: "checkbox", id: "job-force" });
  const files = h("input", { type: "file", id: "job-file", accept: ".zip,application/zip", multiple: true, hidden: true, "aria-label": "Zip files of products", onchange: (event) => uploadAll(event.target.files, force.checked) });
  const drop = h("button.drop", { type: "button", id: "job-drop", onclick: () => files.click() }, h("b", {}, "Drop a product's zip here"), h("span.muted", {}, `or choose one; at most ${bytes(facts.max_upload_bytes)}`));
  for (const type of ["dragover", "dragenter"]) {
    drop.addEventListener(type, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    uploadAll(event.dataTransfer.files, force.checked);
  });
  const token = facts.needs_token ? h("div.field", {}, h("label", { for: "job-token" }, "Server's token"), h("input", { type: "password", id: "job-token", autocomplete: "off", placeholder: hasToken() ? "given for this tab" : "", onchange: (event) => setToken(event.target.value) }), h("p.note", {}, "It stays in this tab and is sent to this server alone.")) : null;
  return [
    h("h2", { id: "jobs-new" }, "Ingest"),
    h("form", { onsubmit: (event) => submit(event, kind, field, force) },
      token,
      h("div.field", {}, h("label", { for: "job-kind" }, "From"), kind),
      h("div.field", {}, name, field, hint),
      h("label.check", {}, force, h("span", {}, "Replace a dataset that has other content")),
      h("p.note.error", { id: "job-error", role: "alert" }),
      h("button.primary", { type: "submit" }, "Ingest")),
    drop, files,
  ];
}

async function submit(event, kind, field, force) {
  event.preventDefault();
  $("job-error").textContent = "";
  const source = field.value.trim();
  try {
    const { job } = await ask("api/jobs", { body: { kind: kind.value, source, force: force.checked } });
    // The next one may be typed already.
    if (field.value.trim() === source) field.value = "";
    toast(`Waiting: ${job.title}`);
    take([job, ...jobs.filter((other) => other.id !== job.id)]);
  } catch (error) {
    $("job-error").textContent = error.message;
    field.focus();
  }
}

function uploadAll(files, force) {
  $("job-error").textContent = "";
  for (const file of files) upload(file, force);
  $("job-file").value = "";
}

function upload(file, force) {
  if (file.size > facts.max_upload_bytes) {
    $("job-error").textContent = `${file.name} has ${bytes(file.size)}; the server takes ${bytes(facts.max_upload_bytes)}.`;
    return;
  }
  // XMLHttpRequest, as fetch does not tell how much has been sent.
  const request = new XMLHttpRequest();
  const entry = { id: `upload-${Date.now()}-${Math.random()}`, kind: "upload", title: file.name, state: "running", uploading: true, created: new Date().toISOString(), progress: { stage: "upload", done: 0, total: file.size }, datasets: [], cancel: () => request.abort() };
  const gone = () => {
    uploads = uploads.filter((one) => one !== entry);
    render();
  };
  uploads = [entry, ...uploads];
  request.upload.addEventListener("progress", (event) => {
    entry.progress.done = event.loaded;
    render();
  });
  request.addEventListener("load", () => {
    gone();
    if (request.status < 300) return;
    let said = `The server says ${request.status}.`;
    try {
      said = JSON.parse(request.responseText).description;
    } catch { /* It says so in no words of ours. */ }
    $("job-error").textContent = `${file.name}: ${said}`;
  });
  request.addEventListener("error", () => {
    gone();
    $("job-error").textContent = `${file.name}: the connection was cut.`;
  });
  request.addEventListener("abort", gone);
  request.open("POST", `api/jobs/upload?${new URLSearchParams({ name: file.name, force: force ? "1" : "" })}`);
  for (const [key, value] of Object.entries(headers({ "Content-Type": "application/zip" }))) request.setRequestHeader(key, value);
  request.send(file);
  render();
}

function render() {
  const all = [...uploads, ...jobs];
  const active = all.filter((job) => ["waiting", "running"].includes(job.state)).length;
  const failed = jobs.filter((job) => job.state === "failed").length;
  const badge = $("jobs-badge");
  badge.hidden = !active && !failed;
  badge.classList.toggle("bad", !active && failed > 0);
  badge.textContent = active || failed || "";
  badge.title = active ? `${counted(active, "job")} under way` : `${failed} failed`;
  if (!$("jobs")) return;
  $("jobs-clear").hidden = !jobs.some((job) => !["waiting", "running"].includes(job.state));
  $("jobs-empty").textContent = all.length ? "" : facts.allow_ingest ? "Nothing is being ingested." : "";
  const focus = document.activeElement?.dataset?.key;
  $("jobs").replaceChildren(...all.map(jobRow));
  if (focus) $("jobs").querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
}

function jobRow(job) {
  const active = ["waiting", "running"].includes(job.state);
  const when = job.ended || job.started || job.created;
  return h("li.job", { class: `job job-${job.state}` },
    h("div.job-head", {},
      h("span.job-state", {}, STATES[job.state] || job.state),
      h("b.job-title.break", {}, job.title),
      h("span.muted.num.nowrap", { title: when }, when ? `${when.slice(0, 10)} ${when.slice(11, 16)} UTC` : ""),
      active ? h("button.small", { type: "button", "data-key": `cancel ${job.id}`, "aria-label": `Cancel ${job.title}`, onclick: () => cancel(job) }, "Cancel") : null,
      ["failed", "cancelled"].includes(job.state) && job.may_retry ? h("button.small", { type: "button", "data-key": `again ${job.id}`, "aria-label": `Try again: ${job.title}`, onclick: () => again(job) }, "Try again") : null,
      active ? null : h("button.small.plain", { type: "button", "data-key": `forget ${job.id}`, "aria-label": `Remove ${job.title}`, onclick: () => cancel(job) }, "Remove")),
    job.state === "running" ? progress(job) : null,
    job.error ? h("p.job-error", {}, h("b", {}, `${job.error.class}: `), job.error.message) : null,
    job.datasets?.length ? h("p.job-datasets", {}, job.datasets.map((id) => h("button.plain.mono.break", { type: "button", onclick: () => set({ view: "map", item: id, stack: "" }) }, id))) : null,
    job.log_lines ? log(job) : null);
}

function progress(job) {
  const { stage, done, total } = job.progress || {};
  const words = STAGES[stage] || (stage ? stage[0].toUpperCase() + stage.slice(1) : "Starting");
  const isBytes = ["download", "upload", "unpack"].includes(stage);
  const amount = !stage || done === null ? "" : isBytes ? (total ? `${bytes(done)} of ${bytes(total)}` : bytes(done)) : total ? `${Math.round((done / total) * 100)} %` : "";
  return h("div.job-progress", {},
    h("progress", { "aria-label": `${words}, ${job.title}`, ...(total ? { max: total, value: Math.min(done, total) } : {}) }),
    h("span.num", {}, `${words} ${amount}`));
}

function log(job) {
  const text = h("pre", { tabIndex: 0, "aria-label": `Log of ${job.title}` }, logs.get(job.id) || "…");
  const read = async () => {
    try {
      const { job: told } = await ask(`api/jobs/${encodeURIComponent(job.id)}`);
      logs.set(job.id, told.log ? told.log.join("\n") : "The log is for who has the server's token.");
    } catch (error) {
      logs.set(job.id, error.message);
    }
    text.textContent = logs.get(job.id);
  };
  const isOpen = opened.has(job.id);
  if (isOpen) read();
  return h("details", { open: isOpen, ontoggle: (event) => {
    if (!event.target.open) opened.delete(job.id);
    else if (!opened.has(job.id)) {
      opened.add(job.id);
      read();
    }
  } }, h("summary", { "data-key": `log ${job.id}` }, "Log"), text);
}

async function cancel(job) {
  if (job.cancel) {
    job.cancel();
    return;
  }
  await change(`api/jobs/${encodeURIComponent(job.id)}`, { method: "DELETE" });
}

const again = (job) => change(`api/jobs/${encodeURIComponent(job.id)}/retry`, { method: "POST", body: {} });

async function clear() {
  for (const job of jobs.filter((one) => !["waiting", "running"].includes(one.state))) {
    await change(`api/jobs/${encodeURIComponent(job.id)}`, { method: "DELETE" });
  }
}

async function change(path, how) {
  try {
    await ask(path, how);
    take((await ask("api/jobs")).jobs);
  } catch (error) {
    toast(error.message, "error");
  }
}

