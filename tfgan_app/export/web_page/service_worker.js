// Keeps the page for use without a network, and isolates it so that the model may use several processor threads.
'use strict';

const CACHE = `tfgan_app page ${self.registration.scope}`;

// WebAssembly shares memory between threads in cross-origin isolated pages alone. Few static servers send these.
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', event => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', event => {
  if (event.request.method === 'GET' && event.request.url.startsWith(self.registration.scope)) {
    event.respondWith(answer(event));
  }
});

/** The server's file, or the cached one if it cannot be reached: a new export is visible at once. */
async function answer(event) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(event.request, {cache: 'no-cache'});
    if (response.ok) {
      event.waitUntil(cache.put(event.request.url, response.clone()));
    }
    return isolated(response);
  } catch (error) {
    const kept = await cache.match(event.request.url);
    if (!kept) {
      throw error;
    }
    return isolated(kept);
  }
}

function isolated(response) {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATION)) {
    headers.set(name, value);
  }
  return new Response(response.body, {status: response.status, statusText: response.statusText, headers});
}
