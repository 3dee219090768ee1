'use strict';
/**
 * A process with number 1, as in a container, inherits the children of all that die. Somebody has to take those that
 * have ended out of the process table, else it fills up; Node does so only for those it has started itself.
 */
const diagnostics = require('node:diagnostics_channel');

/** When a child that Node waits for was in the way, in milliseconds. */
const RETRY = 50;

const ours = new Set();

if (process.pid === 1) {
  diagnostics.subscribe('child_process', ({ process: child }) => {
    ours.add(child);
    child.once('exit', () => ours.delete(child));
    child.once('error', () => {
      if (child.pid === undefined) ours.delete(child);
    });
  });
}

/** @returns {() => void} ends it */
function startReaping() {
  if (process.pid !== 1 || process.platform !== 'linux') return () => {};
  const { reapOrphans } = require('../native.js');
  let timer;
  const reap = () => {
    const known = [...ours].map(({ pid }) => pid).filter((pid) => pid !== undefined);
    clearTimeout(timer);
    if (reapOrphans(known)) timer = setTimeout(reap, RETRY);
  };
  // In the next turn: Node takes its own first.
  const onChild = () => setImmediate(reap);
  process.on('SIGCHLD', onChild);
  return () => {
    process.removeListener('SIGCHLD', onChild);
    clearTimeout(timer);
  };
}

module.exports = { startReaping };
