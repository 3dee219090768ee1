'use strict';
/** The rolling reload: start first, one place after the other. */
const { createError } = require('../errors.js');

/**
 * @param {import('./slot.js').Slot[]} slots in the order they are taken
 * @param {() => void} check called before each place; throws to end the reload
 * @throws ERR_RELOAD_REFUSED with `replaced`, `total`, `stderr`, `exitCode` and the failed start as `cause`
 */
async function rollingReload(slots, check) {
  let replaced = 0;
  for (const slot of slots) {
    check();
    try {
      await slot.replace();
    } catch (cause) {
      // Also when the supervisor was told to stop meanwhile, which ends the new worker, too.
      check();
      const { exitCode, signal, stderr } = cause;
      const kept = replaced === 0 ? 'all workers are the old ones' : `${replaced} of ${slots.length} had been replaced`;
      throw createError('ERR_RELOAD_REFUSED', `The reload was refused (${kept}). ${cause.message}`, {
        cause,
        replaced,
        total: slots.length,
        exitCode,
        signal,
        stderr,
      });
    }
    replaced += 1;
  }
}

module.exports = { rollingReload };
