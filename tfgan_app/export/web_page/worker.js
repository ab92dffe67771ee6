// Runs the model beside the page, so that the page stays responsive: tiles in, pixels out.
'use strict';

/* global Tiling, Assembly */
importScripts('tiling.js', 'assembly.js');

const RUNTIME = new URL('runtime/', self.location.href).href;

// An ES module, imported when it is needed: this worker stays a classic script, since the runtime loads its WebAssembly
// glue with importScripts, which module workers refuse.
let LiteRT = null;

let model = null;
let facts = null;
let canceled = false;

/** The file's bytes, decompressed unless the server did so in transit. */
async function fetchBytes(url) {
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`The server answers ${response.status} for ${new URL(url, self.location.href).pathname}.`);
  }
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (!url.endsWith('.gz') || bytes[0] !== 0x1f) {
    return bytes;
  }
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(unpacked).arrayBuffer());
}

/** The builds of the runtime that this browser can run, best first. */
async function builds() {
  const relaxed = await LiteRT.supportsFeature('relaxedSimd');
  const threaded = relaxed && self.crossOriginIsolated && navigator.hardwareConcurrency > 1;
  return [
    ...(threaded ? ['litert_wasm_threaded_internal'] : []),
    ...(relaxed ? ['litert_wasm_internal'] : []),
    'litert_wasm_compat_internal',
  ];
}

/** Loads the best build that starts, and gives the number of threads to use. */
async function loadRuntime() {
  LiteRT = await import(`${RUNTIME}litert.js`);
  const failures = [];
  for (const build of await builds()) {
    const script = `${RUNTIME}${build}.js`;
    try {
      // The runtime defines these names: it loads its WebAssembly and its threads' script from there.
      self.Module = {
        wasmBinary: await fetchBytes(`${RUNTIME}${build}.wasm.gz`),
        mainScriptUrlOrBlob: script,
        printErr: line => /^(INFO|WARNING)/.test(line) ? console.debug(line) : console.error(line),
      };
      const runtime = await LiteRT.loadLiteRt(script);
      // Half of the logical processors: a desktop's cores without their second threads, a phone's fast cores.
      return Math.min(runtime.liteRtWasm.getThreadCount(), Math.max(2, Math.floor(navigator.hardwareConcurrency / 2)));
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures[0];
}

/** Rejects a model file that does not match `model.json`. */
function checkModel() {
  const tile = facts.tile_px;
  const expected = [[1, tile, tile, 3], [1, facts.scale * tile, facts.scale * tile, 3]];
  const received = [model.getInputDetails(), model.getOutputDetails()];
  received.forEach(([tensor], index) => {
    if (tensor.dtype !== facts.dtype || Array.from(tensor.shape).join() !== expected[index].join()) {
      throw new Error(`model.json promises ${facts.dtype} [${expected[index]}], and model.tflite has ` +
          `${tensor.dtype} [${Array.from(tensor.shape)}]: export the page again.`);
    }
  });
}

async function load({accelerator, facts: given}) {
  facts = given;
  const threads = await loadRuntime();
  const bytes = await fetchBytes(new URL('model.tflite', self.location.href).href);
  model = await LiteRT.loadAndCompile(bytes, {accelerator, cpuOptions: {numThreads: threads}});
  checkModel();
  if (accelerator === 'webgpu') {
    await checkGraphicsCard();
  }
  self.postMessage({type: 'ready', threads: accelerator === 'wasm' ? threads : 0});
}

/** Fails if the graphics card cannot run the whole model; this build of the runtime cannot split it. */
async function checkGraphicsCard() {
  if (model.options.accelerator !== 'webgpu' || !model.isFullyAccelerated) {
    throw new Error('The graphics card cannot run all of the model.');
  }
  await runTile(emptyTile());
}

const emptyTile = () => new (facts.dtype === 'uint8' ? Uint8Array : Float32Array)(3 * facts.tile_px ** 2);

/** The model's answer for one tile: Float32Array or Uint8Array [scale * tile, scale * tile, 3]. */
async function runTile(values) {
  const input = new LiteRT.Tensor(values, [1, facts.tile_px, facts.tile_px, 3]);
  let outputs = [];
  try {
    outputs = await model.run([input]);
    return await outputs[0].data();
  } finally {
    input.delete();
    outputs.forEach(output => output.delete());
  }
}

/** Yields to incoming messages, such as a cancellation. */
const breathe = () => new Promise(resolve => setTimeout(resolve));

async function run({image}) {
  canceled = false;
  const started = performance.now();
  const rows = Tiling.cutAxis(image.height, facts);
  const columns = Tiling.cutAxis(image.width, facts);
  const values = emptyTile();
  const assembly = new Assembly(image, facts);
  let done = 0;
  for (const row of rows) {
    for (const column of columns) {
      await breathe();
      if (canceled) {
        self.postMessage({type: 'canceled'});
        return;
      }
      Tiling.readTile(image, {left: column.start, top: row.start}, values);
      const block = assembly.add(await runTile(values), {row, column});
      done += 1;
      const progress = {done, tiles: rows.length * columns.length, elapsedMs: performance.now() - started};
      self.postMessage({type: 'tile', block, ...progress}, [block.pixels.buffer]);
    }
  }
  self.postMessage({type: 'done', elapsedMs: performance.now() - started});
}

self.onmessage = async ({data}) => {
  if (data.type === 'cancel') {
    canceled = true;
    return;
  }
  try {
    await (data.type === 'load' ? load(data) : run(data));
  } catch (error) {
    self.postMessage({type: 'error', during: data.type, message: error?.message ?? String(error)});
  }
};
