'use strict';
/** One listener a signal, however many jobs wait for it: Node warns of a leak at the eleventh on one object. */

/** signal -> what waits for it, and the listener that tells them. */
const waits = new WeakMap();

/**
 * Calls `callback` once `signal` is aborted.
 * @param {AbortSignal} signal not aborted yet
 * @param {() => void} callback must not throw
 * @returns {() => void} no longer waits
 */
function onAbort(signal, callback) {
  let wait = waits.get(signal);
  if (wait === undefined) {
    wait = listen(signal);
    waits.set(signal, wait);
  }
  const entry = { callback };
  wait.entries.add(entry);
  return () => {
    if (!wait.entries.delete(entry) || wait.entries.size > 0 || waits.get(signal) !== wait) return;
    waits.delete(signal);
    signal.removeEventListener('abort', wait.listener);
  };
}

function listen(signal) {
  const entries = new Set();
  const listener = () => {
    waits.delete(signal);
    for (const { callback } of entries) callback();
  };
  signal.addEventListener('abort', listener, { once: true });
  return { entries, listener };
}

module.exports = { onAbort };
