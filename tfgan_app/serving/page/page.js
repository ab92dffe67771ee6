import { makeCompare } from "./compare.js";
import { prepare, toBase64 } from "./upload.js";

const element = (id) => document.getElementById(id);
const show = makeCompare({
  root: element("compare"), before: element("before"), after: element("after"), range: element("split"),
});

let models = [];
let lastFile = null;
let lastStyle = null;
let running = null;
const urls = { before: null, after: null };

const chosen = () => models.find((model) => model.name === element("model").value);

function say(text, { busy = false } = {}) {
  element("status").textContent = text;
  element("status").classList.toggle("busy", busy);
}

function complain(text) {
  element("error").textContent = text;
  element("error").hidden = !text;
}

/** Fetches JSON; whatever goes wrong becomes an error with a sentence. */
async function call(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server cannot be reached. Is it still running?");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error || `The server answered ${response.status}.`);
  return answer;
}

async function loadModels() {
  const answer = await call("v1/models");
  const usable = answer.models.filter((model) => model.state === "AVAILABLE");
  if (JSON.stringify(usable) === JSON.stringify(models)) return;
  const before = element("model").value;
  models = usable;
  element("model").replaceChildren(...models.map((model) => new Option(model.name, model.name)));
  element("model").disabled = models.length === 0;
  if (models.some((model) => model.name === before)) element("model").value = before;
  if (models.length === 0) {
    element("model").replaceChildren(new Option("None"));
    say("The server holds no model yet. Export one into its folder, and it appears here.");
  } else {
    say("");
  }
  showInput();
}

function showInput() {
  const model = chosen();
  const kind = model?.kind;
  element("picture-input").hidden = kind !== "pictures";
  element("style-input").hidden = !model?.takes_style;
  element("latents-input").hidden = kind !== "latents";
  element("other-input").hidden = kind !== "other";
  element("facts").textContent = model ? describe(model) : "";
  element("api-path").textContent = model ? `/v1/models/${model.name}/metadata` : "";
  const classes = model?.classes ?? [];
  element("class").replaceChildren(...classes.map((name) => new Option(name, name)));
  element("class-field").hidden = classes.length === 0;
}

function describe(model) {
  const facts = [`Version ${model.versions[0]}`];
  if (model.kind === "pictures" && model.scale > 1) facts.push(`makes pictures ${model.scale} times as wide and high`);
  if (model.channels === 4) facts.push("fills the transparent holes of a PNG");
  if (model.classes) facts.push(`${model.classes.length} classes`);
  return facts.join(", ");
}

/** Runs `work(signal)` unless another run replaces it, and tells what goes wrong. */
async function run(busyText, work) {
  running?.abort();
  const own = (running = new AbortController());
  complain("");
  say(busyText, { busy: true });
  try {
    await work(own.signal);
    if (running === own) say("");
  } catch (error) {
    if (running !== own || error.name === "AbortError") return;
    say("");
    complain(error.message);
    element("result").hidden = true; // Or the last result would pass for this one's.
  } finally {
    if (running === own) running = null;
  }
}

async function predict(model, instance, signal, signature = "serving_default") {
  const start = performance.now();
  const body = JSON.stringify({ signature_name: signature, instances: [instance] });
  const answer = await call(`v1/models/${encodeURIComponent(model.name)}:predict`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body, signal,
  });
  const bytes = Uint8Array.from(atob(answer.predictions[0].b64), (character) => character.charCodeAt(0));
  return { blob: new Blob([bytes], { type: "image/png" }), seconds: (performance.now() - start) / 1000 };
}

async function present({ before, result, name, from }, signal) {
  const next = { before: before && URL.createObjectURL(before), after: URL.createObjectURL(result.blob) };
  signal.throwIfAborted();
  element("result").hidden = false;
  const size = await show(next.before, next.after);
  for (const url of Object.values(urls)) if (url) URL.revokeObjectURL(url);
  Object.assign(urls, next);
  Object.assign(element("download"), { href: next.after, download: name });
  const sizes = `${from ? `${from} → ` : ""}${size.width} × ${size.height} pixels`;
  element("summary").textContent = `${sizes}, ${result.seconds.toFixed(result.seconds < 10 ? 1 : 0)} s`;
  element("result").scrollIntoView({ block: "nearest", behavior: "smooth" });
}

function sendPicture(file) {
  const model = chosen();
  if (!file || model?.kind !== "pictures") return;
  lastFile = file;
  if (model.takes_style && !lastStyle) {
    say("Now choose the picture whose style it takes.");
    return;
  }
  run("Working on your picture…", async (signal) => {
    const picture = await prepare(file);
    const image = { b64: await toBase64(picture.blob) };
    const result = model.takes_style
      ? await predict(model, { image_bytes: image, ...(await styleOf(lastStyle)) }, signal, "bytes")
      : await predict(model, image, signal);
    const name = `${(file.name || "picture").replace(/\.[^.]*$/, "")}-${model.name}.png`;
    const from = `${picture.width} × ${picture.height}`;
    await present({ before: picture.blob, result, name, from }, signal);
  });
}

async function styleOf(file) {
  const style = await prepare(file);
  return { style_bytes: { b64: await toBase64(style.blob) }, strength: Number(element("strength").value) };
}

function generate() {
  const model = chosen();
  const seed = element("seed");
  if (model?.kind !== "latents" || !seed.reportValidity()) return;
  const classes = model.classes ? { classes: element("class").value } : {};
  run("Generating…", async (signal) => {
    const result = await predict(model, { seeds: Number(seed.value), ...classes }, signal);
    const name = [model.name, classes.classes, `seed-${seed.value}`].filter(Boolean).join("-");
    await present({ before: null, result, name: `${name}.png`, from: "" }, signal);
  });
}

element("model").addEventListener("change", () => {
  running?.abort();
  showInput();
  say("");
  complain("");
  element("result").hidden = true;
  if (chosen()?.kind === "pictures" && lastFile) sendPicture(lastFile);
});
element("file").addEventListener("change", (event) => {
  sendPicture(event.target.files[0]);
  event.target.value = ""; // So that the same file can be chosen again.
});
element("style-file").addEventListener("change", (event) => {
  lastStyle = event.target.files[0] ?? null;
  sendPicture(lastFile);
});
element("strength").addEventListener("change", () => lastStyle && sendPicture(lastFile));
element("latents-input").addEventListener("submit", (event) => {
  event.preventDefault();
  generate();
});
element("another").addEventListener("click", () => {
  element("seed").value = Number(element("seed").value) + 1;
  generate();
});

// A picture may be dropped anywhere: beside the field, a browser would leave the page for it.
const drag = (on) => (event) => {
  event.preventDefault();
  document.body.classList.toggle("dragging", on);
};
document.addEventListener("dragover", drag(true));
document.addEventListener("dragleave", drag(false));
document.addEventListener("drop", (event) => {
  drag(false)(event);
  sendPicture(event.dataTransfer.files[0]);
});
document.addEventListener("paste", (event) => sendPicture(event.clipboardData.files[0]));

const refresh = () => loadModels().catch((error) => complain(error.message));
document.addEventListener("visibilitychange", () => document.hidden || refresh());
setInterval(() => document.hidden || running || refresh(), 10000);
refresh();
