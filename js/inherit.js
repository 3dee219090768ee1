'use strict';
/** Descriptors that a worker inherits beside those node:cluster gives it. */

/**
 * @param {{ stdio?: unknown, silent?: boolean }} settings of node:cluster
 * @returns {unknown[]} the stdio child_process.fork() would make of them, as a list that more can be added to
 */
function stdioList({ stdio, silent }) {
  if (Array.isArray(stdio)) return [...stdio];
  const each = typeof stdio === 'string' ? stdio : silent ? 'pipe' : 'inherit';
  return [each, each, each, 'ipc'];
}

/**
 * Forks a worker that inherits descriptors.
 * @param {object} cluster node:cluster of a primary
 * @param {number[]} descriptors lent for the time of the spawn
 * @param {(first: number) => object} forkNow forks by `cluster.fork` as it was; is told the number under which the worker
 *   finds the first of them, the others follow
 * @returns {object} the worker
 */
function forkInheriting(cluster, descriptors, forkNow) {
  const before = cluster.settings;
  const own = Object.getOwnPropertyDescriptor(before, 'stdio');
  const list = stdioList(before);
  before.stdio = [...list, ...descriptors];
  let worker;
  try {
    worker = forkNow(list.length);
  } finally {
    // fork() makes new settings of the old ones; the app and the 'setup' event shall see what the app has set.
    for (const settings of [before, cluster.settings]) {
      if (own === undefined) delete settings.stdio;
      else Object.defineProperty(settings, 'stdio', own);
    }
  }
  // There is none where there was no descriptor left to start it with; its 'error' says so.
  if (worker.process.stdio !== undefined) worker.process.stdio.length = list.length;
  return worker;
}

module.exports = { forkInheriting };
