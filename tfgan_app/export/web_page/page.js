// The page: a file in, progress and an image out. The work is done in worker.js.

import {layOut} from './compare.js';
import {installServiceWorker} from './offline.js';
import {decode, draw, fitting, largestResult} from './image.js';

const element = id => document.getElementById(id);
const [status, chooser, tooLarge, work, file, after] =
    ['status', 'chooser', 'too-large', 'work', 'file', 'after'].map(element);

let facts = null;
let worker = null;
let accelerator = 'wasm';
let engine = '';  // Display name of what runs the model.
let chosen = null;  // {name, bitmap} of the current image.

/** A duration in words, to two digits where it is short. */
function inSeconds(milliseconds) {
  const seconds = milliseconds / 1000;
  const text = seconds < 10 ? String(Number(seconds.toPrecision(2))) : seconds.toFixed(0);
  return text === '1' ? '1 second' : `${text} seconds`;
}

const megapixels = pixels => `${(pixels / 1e6).toFixed(1)} megapixels`;

/** Shows one line above everything else, or none. */
function say(message, {isError = false} = {}) {
  status.textContent = message;
  status.hidden = !message;
  status.classList.toggle('error', isError);
}

function show(...sections) {
  for (const section of [chooser, tooLarge, work]) {
    section.hidden = !sections.includes(section);
  }
  work.classList.toggle('running', sections.includes(work));
}

function describe() {
  document.title = facts.title;
  element('title').textContent = facts.title;
  const size = facts.scale > 1 ? `Makes images ${facts.scale} times as wide and high.` :
      'Keeps the size of images.';
  const tiles = Tiling.isExact(facts) ? '' :
      ` Looks at more than a tile of ${facts.tile_px} pixels: larger images are blended from overlapping tiles.`;
  element('facts').textContent = size + tiles;
  element('about').textContent = `Model ${facts.name}, version ${facts.version}, license: ${facts.license}.`;
}

function startWorker(wanted) {
  worker?.terminate();
  accelerator = wanted;
  worker = new Worker('worker.js');
  worker.onmessage = ({data}) => handlers[data.type](data);
  worker.onerror = () => fail('The worker of this page has stopped. Reload the page.', {isFinal: true});
  worker.postMessage({type: 'load', accelerator, facts});
}

/** Shows an error; other images may still work unless the model itself is missing. */
function fail(message, {isFinal = false} = {}) {
  show(...(isFinal ? [] : [chooser]));
  say(message, {isError: true});
  document.body.dataset.state = 'failed';
}

const handlers = {
  ready({threads}) {
    const processor = threads > 1 ? `${threads} processor threads` : 'the processor';
    engine = accelerator === 'webgpu' ? 'the graphics card' : processor;
    const declined = element('webgpu').checked && accelerator === 'wasm';
    element('webgpu').checked = accelerator === 'webgpu';
    say(declined ? 'The graphics card cannot run this model here, so the processor does.' : '');
    show(chooser);
    document.body.dataset.state = 'ready';
  },
  tile({block, done, tiles, elapsedMs}) {
    const {x, y, width, height, pixels} = block;
    after.getContext('2d').putImageData(new ImageData(pixels, width, height), x, y);
    element('progress').value = done / tiles;
    const seconds = Math.ceil(elapsedMs / done * (tiles - done) / 1000);
    const left = done < tiles ? `, about ${seconds} s left` : '';
    element('progress-text').textContent = `Tile ${done} of ${tiles}${left}`;
  },
  done({elapsedMs}) {
    work.classList.remove('running');
    element('progress-row').hidden = true;
    element('result-actions').hidden = false;
    const {width, height} = after;
    const before = element('before');
    element('timing').textContent = `${before.width} × ${before.height} to ${width} × ${height} pixels, ` +
        `${inSeconds(elapsedMs)} for this image on ${engine}.`;
    layOut();
    after.toBlob(offerDownload, 'image/png');
  },
  canceled() {
    show(chooser);
    say('Cancelled.');
    document.body.dataset.state = 'ready';
  },
  error({during, message}) {
    if (accelerator === 'webgpu') {
      show();
      startWorker('wasm');
      return;
    }
    const isFinal = during === 'load';
    fail(`The model ${isFinal ? 'could not be loaded' : 'failed'}. ${message}`, {isFinal});
  },
};

function offerDownload(blob) {
  if (!blob) {
    fail('The result is too large for this browser to save. Take a smaller image.');
    return;
  }
  const link = element('download');
  URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(blob);
  link.download = `${chosen.name.replace(/\.[^.]*$/, '')}-${facts.name}.png`;
  document.body.dataset.state = 'done';
}

async function take(blob) {
  say('');
  try {
    chosen = {name: blob.name || 'image', bitmap: await decode(blob)};
  } catch (error) {
    chosen = null;
    fail(error.message);
    return;
  }
  const size = fitting(chosen.bitmap, facts.scale);
  if (size.share === 1) {
    start({shrink: false});
    return;
  }
  const {width, height} = chosen.bitmap;
  element('too-large-text').textContent =
      `This image has ${width} × ${height} pixels. The result would have ` +
      `${megapixels(width * height * facts.scale ** 2)}, and this device shows ${megapixels(largestResult())} at most. A part of ${size.width} × ${size.height} fits.`;
  show(chooser, tooLarge);
}

function start({shrink}) {
  const {width, height} = fitting(chosen.bitmap, facts.scale);
  const image = draw(chosen.bitmap, element('before'), {width, height, shrink});
  chosen.bitmap.close();
  after.width = facts.scale * width;
  after.height = facts.scale * height;
  element('progress').value = 0;
  element('progress-text').textContent = '';
  element('timing').textContent = '';
  element('progress-row').hidden = false;
  element('result-actions').hidden = true;
  show(work);
  layOut();
  document.body.dataset.state = 'running';
  worker.postMessage({type: 'run', image}, [image.pixels.buffer]);
}

function listen() {
  file.addEventListener('change', () => {
    const [image] = file.files;
    file.value = '';  // Otherwise choosing the same file again would be no change.
    image && take(image);
  });
  element('another').addEventListener('click', () => file.click());
  element('cancel').addEventListener('click', () => worker.postMessage({type: 'cancel'}));
  element('take-middle').addEventListener('click', () => start({shrink: false}));
  element('take-smaller').addEventListener('click', () => start({shrink: true}));
  element('webgpu').addEventListener('change', ({target}) => {
    say('Loading the model.');
    show();
    startWorker(target.checked ? 'webgpu' : 'wasm');
  });
  listenForDrops();
}

/** Images may be dropped and pasted once the model is loaded, unless one is being processed. */
function listenForDrops() {
  const idle = () => !chooser.hidden || !(work.hidden || work.classList.contains('running'));
  document.addEventListener('dragover', event => {
    event.preventDefault();
    document.body.classList.add('dragging');
  });
  document.addEventListener('dragleave', () => document.body.classList.remove('dragging'));
  document.addEventListener('drop', event => {
    event.preventDefault();
    document.body.classList.remove('dragging');
    idle() && event.dataTransfer.files[0] && take(event.dataTransfer.files[0]);
  });
  document.addEventListener('paste', event => {
    idle() && event.clipboardData.files[0] && take(event.clipboardData.files[0]);
  });
}

async function main() {
  say('Loading the model.');
  if (await installServiceWorker()) {
    return;
  }
  try {
    const response = await fetch('model.json');
    facts = await response.json();
  } catch {
    fail('model.json is not beside this page, or cannot be read: export the page again.', {isFinal: true});
    return;
  }
  describe();
  element('gpu').hidden = !await navigator.gpu?.requestAdapter().catch(() => null);
  listen();
  startWorker('wasm');
}

main();
