'use strict';
const { supervisorOptions } = require('./options.js');
const { availableParallelism } = require('./parallelism.js');

/**
 * Runs an app in several worker processes and keeps them running: restarts what crashes, reloads without a gap, scales
 * and stops in order. The app needs no changed line: its servers listen as ever and share their ports.
 *
 * One supervisor at a time in a process. types.d.ts describes options, methods and events.
 * @param {import('./types').SupervisorOptions} options `exec`, the app's file, is required
 * @returns {import('./types').Supervisor} starting; `ready()` waits for its workers
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE
 * @throws ERR_SUPERVISOR_STATE in a worker, in a worker thread, and where a supervisor runs already
 * @example
 * const app = supervise({ exec: './server.js', workers: 'auto' });
 * await app.ready();
 * await app.reload();
 */
function supervise(options) {
  const settings = supervisorOptions(options);
  // Loaded here and not above: it replaces node:cluster's way of passing connections, which a process that only wants
  // a kernel has not asked for.
  const { Supervisor } = require('./supervisor.js');
  return new Supervisor(settings);
}

module.exports = { availableParallelism, supervise };
