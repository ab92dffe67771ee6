// Installs service_worker.js.

const PATIENCE_MS = 4000;
const RELOADED = `reloaded for the service worker of ${location.pathname}`;

/**
 * Makes the page work without a network from the next visit on, and lets the model use several threads.
 *
 * Browsers offer service workers under https and on localhost only; elsewhere the page works without one.
 *
 * @return {Promise<boolean>} Whether the page is being loaded once more, through the service worker.
 */
export async function installServiceWorker() {
  if (!navigator.serviceWorker) {
    return false;
  }
  try {
    const {active} = await navigator.serviceWorker.register('service_worker.js');
    if (self.crossOriginIsolated || sessionStorage.getItem(RELOADED)) {
      return false;
    }
    if (!active) {
      await Promise.race([controlled(), new Promise((_, reject) => setTimeout(reject, PATIENCE_MS))]);
    }
    sessionStorage.setItem(RELOADED, 'yes');
    location.reload();
    return true;
  } catch {
    return false;
  }
}

function controlled() {
  return navigator.serviceWorker.controller ||
      new Promise(resolve => navigator.serviceWorker.addEventListener('controllerchange', resolve, {once: true}));
}
