'use strict';

/** V8 notes what a function is given only once it has been called some ten times. */
const ENOUGH = 16;

/**
 * V8 compiles for what it has seen: at the first Buffer after many objects all that was compiled for those, up to the
 * caller of `postMessage`, would be thrown away and compiled anew, at the price of some thousand messages. So what is
 * called often is shown all it will ever be given before it begins to count.
 * @param {(value: unknown) => void} call without effects for these
 * @param {unknown[]} samples
 */
function acquaint(call, samples) {
  for (let i = 0; i < ENOUGH; i++) {
    for (const one of samples) call(one);
  }
}

module.exports = { acquaint };
