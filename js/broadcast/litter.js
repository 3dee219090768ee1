'use strict';
/**
 * What becomes of arrays that were made for a message and let go of. V8 hardly sees them as young garbage: it lets 32 MiB
 * gather (64 on Node 24) before it looks, and frees that on another thread while more is made. A reader of 16 KiB
 * messages grew by 55 MiB so, on Node 24 by 120. Here a collection of what is young alone follows every 2 MiB.
 */
const v8 = require('node:v8');
const vm = require('node:vm');

const MIB = 2 ** 20;
/** Bytes that may gather. */
const LEAST = 2 * MIB;
/**
 * And for each millisecond that a collection takes, which is 0.1 unless the app has much that is young and alive: to read
 * 8 MiB takes 2.5 ms.
 */
const EACH_MILLISECOND = 8 * MIB;
/** So much V8 lets gather itself. */
const MOST = 32 * MIB;
/** How many collections make a judgement: the quickest counts, since the others may have waited for a core. */
const JUDGED = 16;
const YOUNG = { type: 'minor', execution: 'sync' };

let bytes = 0;
let enough = LEAST;
let quickest = Number.POSITIVE_INFINITY;
let count = 0;
let collect;

/** So many bytes of arrays have been made, or are about to be. @param {number} length */
function litter(length) {
  bytes += length;
  if (bytes >= enough) tidy();
}

function tidy() {
  bytes = 0;
  collect ??= findCollector();
  const began = performance.now();
  collect(YOUNG);
  quickest = Math.min(quickest, performance.now() - began);
  if (++count < JUDGED) return;
  enough = Math.min(Math.max(LEAST, quickest * EACH_MILLISECOND), MOST);
  [quickest, count] = [Number.POSITIVE_INFINITY, 0];
}

/**
 * V8 gives this function to the contexts that are made while its flag is set.
 * @returns {(options: object) => unknown} one that does nothing where there is none
 */
function findCollector() {
  if (typeof globalThis.gc === 'function') return globalThis.gc;
  try {
    v8.setFlagsFromString('--expose-gc');
    return vm.runInNewContext('gc');
  } catch {
    return () => {};
  } finally {
    v8.setFlagsFromString('--no-expose-gc');
  }
}

module.exports = { litter };
