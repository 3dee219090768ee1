'use strict';
/**
 * When to start a crashed worker again. Pure arithmetic: no clock, no timer, no process.
 *
 * The goals: a single crash costs 100 ms of one worker; a fault that kills every start costs almost no CPU; and one
 * that can only be a broken program is reported instead of being tried for ever.
 */

/**
 * The pause before the next start.
 * @param {number} crashes crashes in a row, this one included (1, 2, ...)
 * @param {{ initial: number, factor: number, max: number }} backoff `initial` and `max` in milliseconds
 * @returns {number} milliseconds, a whole number
 */
function delayAfter(crashes, { initial, factor, max }) {
  // The power overflows to Infinity after some hundred crashes; min() brings that back, too.
  return Math.round(Math.min(max, initial * factor ** (crashes - 1)));
}

/**
 * How many crashes in a row a worker's end makes.
 * @param {number} crashes crashes in a row before this end
 * @param {number | undefined} readyFor milliseconds it had been ready; undefined when it never was
 * @param {number} minUptime milliseconds after which a worker counts as sound
 * @returns {number} 1 when it had been sound: an old crash does not lengthen the pause after a new one
 */
function countCrash(crashes, readyFor, minUptime) {
  return readyFor !== undefined && readyFor >= minUptime ? 1 : crashes + 1;
}

/**
 * Whether to give up. As long as one worker is sound the others are tried on: a partial outage must not become a
 * whole one.
 * @param {number} crashes crashes in a row in one place
 * @param {number} maxCrashes the limit
 * @param {boolean} anySound whether some worker has been ready for `minUptime`
 */
function isCrashLoop(crashes, maxCrashes, anySound) {
  return crashes >= maxCrashes && !anySound;
}

module.exports = { countCrash, delayAfter, isCrashLoop };
