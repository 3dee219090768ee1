'use strict';
/** How the command line tells of an error, and with which exit code it ends. */

/** Wrong usage, as most Unix tools have it. */
const USAGE = 2;

/** Not running, as init scripts have it (LSB, "status"). */
const NOT_RUNNING = 3;

/** Errors whose cause is what was typed. */
const usageCodes = new Set(['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE', 'ERR_OUT_OF_RANGE']);

/**
 * @param {Error & { code?: string, exitCode?: number }} error
 * @returns {number} the exit code
 */
function report(error) {
  if (error.code?.startsWith('commander.')) {
    // Commander has printed it; help and version are no errors.
    return error.exitCode === 0 ? 0 : USAGE;
  }
  if (error.code === undefined) {
    process.stderr.write(`rustcluster: ${error.stack ?? error}\n`);
    return 1;
  }
  process.stderr.write(`rustcluster: ${error.code}: ${error.message.replace(`${error.code}: `, '')}\n`);
  if (error.code === 'ERR_NOT_RUNNING') return NOT_RUNNING;
  return usageCodes.has(error.code) ? USAGE : 1;
}

module.exports = { report };
