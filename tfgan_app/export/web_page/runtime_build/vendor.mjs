// Writes LiteRT's web runtime as the exported page loads it: `npm ci && npm run vendor`.
//
// The versions and their hashes are pinned in package-lock.json. What is written is committed, so that nobody who
// installs or exports needs npm. The page checks nothing itself: SHA256SUMS is for the exporter and the tests.

import {createHash} from 'node:crypto';
import {cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {build} from 'esbuild';

const PACKAGE = 'node_modules/@litertjs/core';

// The plain build needs relaxed SIMD, the compatible one does not, and the threaded one needs a page that is
// cross-origin isolated. The fourth, for JavaScript promise integration, is of use to partly delegated models only.
const VARIANTS = ['litert_wasm_internal', 'litert_wasm_compat_internal', 'litert_wasm_threaded_internal'];

const folder = process.argv[2];
rmSync(folder, {recursive: true, force: true});
mkdirSync(folder, {recursive: true});
await build({
  stdin: {contents: `export * from '@litertjs/core';`, resolveDir: '.'},
  bundle: true,
  minify: true,
  // A classic script: the runtime loads its WebAssembly glue with importScripts, which module workers refuse.
  format: 'iife',
  globalName: 'LiteRT',
  target: 'es2022',
  legalComments: 'none',
  banner: {js: '/* @litertjs/core and @litertjs/wasm-utils, Copyright 2025 Google LLC, Apache-2.0: see LICENSE. */'},
  outfile: join(folder, 'litert.js'),
});
for (const name of VARIANTS) {
  writeFileSync(join(folder, `${name}.js`), readFileSync(join(PACKAGE, 'wasm', `${name}.js`)));
  const wasm = readFileSync(join(PACKAGE, 'wasm', `${name}.wasm`));
  writeFileSync(join(folder, `${name}.wasm.gz`), gzipSync(wasm, {level: 9}));
}
const {version} = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'));
cpSync('../../../../LICENSE', join(folder, 'LICENSE'));
writeFileSync(join(folder, 'NOTICE'), `LiteRT for the web (@litertjs/core and @litertjs/wasm-utils ${version})
Copyright 2025 Google LLC, Apache License 2.0: see LICENSE beside this file.
https://github.com/google-ai-edge/LiteRT, https://www.npmjs.com/package/@litertjs/core

litert.js is the package's JavaScript, bundled and minified by esbuild. The litert_wasm_* files are as the package has
them; the .wasm files are compressed by gzip. They contain further open-source software that LiteRT is built of, among
it TensorFlow Lite, XNNPACK, FlatBuffers, Eigen, Abseil and Emscripten's runtime, each under its own licence.
`);
const sums = readdirSync(folder).sort().map(
    name => `${createHash('sha256').update(readFileSync(join(folder, name))).digest('hex')}  ${name}\n`);
writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''));
