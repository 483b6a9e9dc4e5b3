// Keeps the page, so that the token opens with no network. The server writes one line before this file: the version, and
// the hash of every file that belongs to it. A version is kept whole or not at all.

/** @type {{ version: string, files: Record<string, string> }} */
const { version, files } = /** @type {any} */ (self).WARIFU;
const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const FAMILY = 'warifu-token-';
const CACHE = FAMILY + version;
const PAGE = './';

async function fill() {
  const cache = await caches.open(CACHE);
  const requests = Object.entries(files).map(
    ([name, integrity]) => new Request(name, { integrity, cache: 'no-cache' }),
  );
  await cache.addAll(requests);
}

async function clear() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(FAMILY) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
}

/**
 * @param {Request} request
 * @param {string} name
 */
async function answer(request, name) {
  const cache = await caches.open(CACHE);
  return (await cache.match(name)) ?? fetch(request);
}

// A page that is open has all its modules already, so the new version may take over at once.
worker.addEventListener('install', (event) => {
  event.waitUntil(fill().then(() => worker.skipWaiting()));
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(clear().then(() => worker.clients.claim()));
});

// The files of this version and nothing else: what the service says is never kept.
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  const scope = new URL(worker.registration.scope);
  if (request.method !== 'GET' || origin !== scope.origin) return;
  if (!pathname.startsWith(scope.pathname)) return;
  const name = PAGE + pathname.slice(scope.pathname.length);
  if (name in files) event.respondWith(answer(request, name));
});
