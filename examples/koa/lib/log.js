'use strict';
/**
 * Writes a line to stdout, with the time and the process before it.
 * @param {string} text
 */
function log(text) {
  process.stdout.write(`${new Date().toISOString()} [${process.pid}] ${text}\n`);
}

// Tests and benches want to hear nothing.
module.exports = process.env.LOG === 'off' ? () => {} : log;
