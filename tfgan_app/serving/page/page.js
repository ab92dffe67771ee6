import { makeCompare } from "./compare.js";
import { prepare, toBase64 } from "./upload.js";

const element = (id) => document.getElementById(id);
const show = makeCompare({
  root: element("compare"), before: element("before"), after: element("after"), range: element("split"),
});

let listed = []; // All models of the server, in its order.
let models = []; // The available ones among them.
let isChosenByHand = false;
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

/** Fetches JSON; every failure becomes an error with a sentence. */
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

/** Fetches the list of models; returns whether some are still loading. */
async function loadModels() {
  const answer = await call("v1/models");
  const loading = answer.models.some((model) => model.state === "LOADING");
  showLoading(answer.models);
  if (JSON.stringify(answer.models) === JSON.stringify(listed)) return loading;
  listed = answer.models;
  models = listed.filter((model) => model.state === "AVAILABLE");
  const before = element("model").value;
  element("model").replaceChildren(...(models.length > 0 ? [] : [new Option("Loading…", "")]), ...listed.map(asOption));
  element("model").disabled = models.length === 0;
  const kept = isChosenByHand && models.some((model) => model.name === before);
  if (models.length > 0) element("model").value = kept ? before : preferred(models).name;
  if (listed.length === 0) {
    element("model").replaceChildren(new Option("None"));
    say("The server holds no model yet. Export one into its folder, and it appears here.");
  } else if (!running) {
    say("");
  }
  if (!chosen() || chosen().name !== before || element("facts").textContent === "") showInput();
  return loading;
}

function asOption(model) {
  const notes = { LOADING: " (loading)", END: " (cannot be loaded)" };
  const option = new Option(model.name + (notes[model.state] ?? ""), model.name);
  option.disabled = model.state !== "AVAILABLE";
  return option;
}

/** An upscaler where there is one, the one that enlarges most; else the first. */
function preferred(models) {
  const scale = (model) => (model.kind === "images" ? model.scale ?? 1 : 0);
  const upscalers = models.filter((model) => scale(model) > 1).sort((one, other) => scale(other) - scale(one));
  return upscalers[0] ?? models[0];
}

function showLoading(all) {
  const waiting = all.filter((model) => model.state === "LOADING");
  element("loading").hidden = waiting.length === 0;
  element("loading-bar").value = (all.length - waiting.length) / Math.max(all.length, 1);
  const text = waiting.length && `${all.length - waiting.length} of ${all.length} models are loaded. Loading ${waiting[0].name}…`;
  if (element("loading-text").textContent !== (text || "")) element("loading-text").textContent = text || "";
}

function showInput() {
  const model = chosen();
  const kind = model?.kind;
  element("image-input").hidden = kind !== "images";
  element("style-input").hidden = !model?.takes_style;
  element("latents-input").hidden = kind !== "latents";
  element("other-input").hidden = kind !== "other";
  element("about").textContent = model ? about(model) : "";
  element("about").hidden = !element("about").textContent;
  element("facts").textContent = model ? facts(model) : "";
  element("api-path").textContent = model ? `/v1/models/${model.name}/metadata` : "";
  const classes = model?.classes ?? [];
  element("class").replaceChildren(...classes.map((name) => new Option(name, name)));
  element("class-field").hidden = classes.length === 0;
}

/** Purpose of a model, by its card, otherwise by its inputs and outputs. */
function about(model) {
  if (model.about) return model.about;
  if (model.takes_style) return "Gives an image the style of another.";
  if (model.channels === 4) return "Fills the transparent holes of a PNG.";
  if (model.kind === "images" && model.scale > 1) return "Enlarges images.";
  if (model.kind === "images") return "Changes images and keeps their size.";
  return model.kind === "latents" ? "Draws images from seeds." : "";
}

function facts(model) {
  const known = [`Version ${model.versions[0]}`];
  if (model.kind === "images" && model.scale > 1) known.push(`${model.scale} times as wide and high`);
  if (model.kind === "images" && model.scale === 1) known.push("same size");
  if (model.about && model.channels === 4) known.push("fills the transparent holes of a PNG");
  if (model.classes) known.push(`${model.classes.length} classes`);
  if (model.parameters) known.push(`${model.parameters} weights`);
  if (model.license) known.push(`license ${model.license}`);
  return known.join(" · ");
}

/** Runs `work(signal)` unless another run replaces it, and shows errors. */
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
    element("result").hidden = true; // Otherwise the last result would seem to be this one's.
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

function sendImage(file) {
  const model = chosen();
  if (!file || model?.kind !== "images") return;
  lastFile = file;
  isChosenByHand = true; // A model that loads later must not replace it.
  if (model.takes_style && !lastStyle) {
    say("Now choose the image whose style it takes.");
    return;
  }
  run("Working on your image…", async (signal) => {
    const image = await prepare(file);
    const encoded = { b64: await toBase64(image.blob) };
    const result = model.takes_style
      ? await predict(model, { image_bytes: encoded, ...(await styleOf(lastStyle)) }, signal, "bytes")
      : await predict(model, encoded, signal);
    const name = `${(file.name || "image").replace(/\.[^.]*$/, "")}-${model.name}.png`;
    const from = image.width ? `${image.width} × ${image.height}` : "";
    await present({ before: image.width ? image.blob : null, result, name, from }, signal);
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
  isChosenByHand = true;
  const classes = model.classes ? { classes: element("class").value } : {};
  run("Generating…", async (signal) => {
    const result = await predict(model, { seeds: Number(seed.value), ...classes }, signal);
    const name = [model.name, classes.classes, `seed-${seed.value}`].filter(Boolean).join("-");
    await present({ before: null, result, name: `${name}.png`, from: "" }, signal);
  });
}

element("model").addEventListener("change", () => {
  isChosenByHand = true;
  running?.abort();
  showInput();
  say("");
  complain("");
  element("result").hidden = true;
  if (chosen()?.kind === "images" && lastFile) sendImage(lastFile);
});
element("file").addEventListener("change", (event) => {
  sendImage(event.target.files[0]);
  event.target.value = ""; // So that the same file can be chosen again.
});
element("style-file").addEventListener("change", (event) => {
  lastStyle = event.target.files[0] ?? null;
  sendImage(lastFile);
});
element("strength").addEventListener("change", () => lastStyle && sendImage(lastFile));
element("latents-input").addEventListener("submit", (event) => {
  event.preventDefault();
  generate();
});
element("another").addEventListener("click", () => {
  element("seed").value = Number(element("seed").value) + 1;
  generate();
});

// An image may be dropped anywhere: beside the field, a browser would leave the page for it.
const drag = (on) => (event) => {
  event.preventDefault();
  document.body.classList.toggle("dragging", on);
};
document.addEventListener("dragover", drag(true));
document.addEventListener("dragleave", drag(false));
document.addEventListener("drop", (event) => {
  drag(false)(event);
  sendImage(event.dataTransfer.files[0]);
});
document.addEventListener("paste", (event) => sendImage(event.clipboardData.files[0]));

let timer = null;

/** Looks again soon while models are being loaded, and now and then later. */
async function refresh() {
  clearTimeout(timer);
  const loading = !document.hidden && !running && (await loadModels().catch((error) => complain(error.message)));
  timer = setTimeout(refresh, loading ? 1000 : 10000);
}
document.addEventListener("visibilitychange", () => document.hidden || refresh());
refresh();
