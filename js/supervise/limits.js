'use strict';
/** When a worker has lived long enough, or grown too large. Pure arithmetic. */

/** Of `maxAge`: workers that started together are renewed over this share of it, not all at once. */
const JITTER = 0.2;

/**
 * The age at which one worker is renewed.
 * @param {number} maxAge milliseconds
 * @param {number} random from 0 to below 1, one number for the life of the worker
 * @returns {number} milliseconds, from 80% of `maxAge` to `maxAge`
 */
function ageLimit(maxAge, random) {
  return Math.round(maxAge * (1 - JITTER * random));
}

/**
 * @param {{ age: number, limit?: number, memory?: number, maxMemory?: number }} worker milliseconds and bytes;
 *   undefined: no limit, or not known
 * @returns {'maxAge' | 'maxMemory' | undefined} which limit it has passed, memory first: that one is pressing
 */
function passedLimit({ age, limit, memory, maxMemory }) {
  if (memory !== undefined && maxMemory !== undefined && memory > maxMemory) return 'maxMemory';
  if (limit !== undefined && age >= limit) return 'maxAge';
  return undefined;
}

module.exports = { ageLimit, passedLimit };
