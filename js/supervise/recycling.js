'use strict';
/** Renews workers that are too old or too large: one at a time, the new one first. */
const fs = require('node:fs');
const { ageLimit, passedLimit } = require('./limits.js');

/** How often workers are looked at, in milliseconds. */
const PERIOD = 1000;

/**
 * @param {object} options
 * @param {number} [options.maxMemory] bytes of resident memory
 * @param {number} [options.maxAge] milliseconds
 * @param {() => import('./slot.js').Slot[]} slots
 * @param {(slot: object, worker: object, detail: object) => Promise<void>} renew replaces a place's worker
 * @returns {() => void} ends it
 */
function startRecycling({ maxMemory, maxAge }, slots, renew) {
  if (maxMemory === undefined && maxAge === undefined) return () => {};
  /** worker -> its age limit */
  const limits = new WeakMap();
  const limitOf = (worker) => {
    if (!limits.has(worker)) limits.set(worker, ageLimit(maxAge, Math.random()));
    return limits.get(worker);
  };
  let busy = false;
  const look = async () => {
    if (busy) return;
    busy = true;
    for (const slot of slots()) {
      const worker = slot.current;
      if (!slot.isReady) continue;
      const memory = maxMemory === undefined ? undefined : residentMemory(worker);
      const age = worker.readyFor;
      const limit = maxAge === undefined ? undefined : limitOf(worker);
      const reason = passedLimit({ age, limit, memory, maxMemory });
      // A new one that does not start leaves the old one in its place: tried again at the next look.
      if (reason !== undefined) await renew(slot, worker, { reason, memory, age }).catch(() => {});
    }
    busy = false;
  };
  const timer = setInterval(look, Math.min(PERIOD, maxAge ?? PERIOD)).unref();
  return () => clearInterval(timer);
}

/** @returns {number | undefined} bytes; read from the kernel, which also knows it of a worker that hangs */
function residentMemory({ pid, memory }) {
  if (process.platform !== 'linux') return memory;
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'latin1'))[1]) * 1024;
  } catch {
    // It has ended this moment.
    return undefined;
  }
}

module.exports = { startRecycling };
