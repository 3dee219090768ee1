'use strict';
/** The primary's half: workers inherit the ring, and everyone is woken when one of them dies. Its threads are served. */
const cluster = require('node:cluster');
const { isMainThread } = require('node:worker_threads');
const { forkInheriting } = require('../inherit.js');
const { serve, serveThreads } = require('./ipc-primary.js');
const { chooseTransport, takeSeat, VARIABLE } = require('./transport.js');

/** On the object, not in this module: jest loads a module many times in one process. */
const INSTALLED = Symbol.for('rustcluster.broadcast');

/** @returns {{ seat?: { memory: number, bell: number, knocker: number }, native?: object }} no seat where memory cannot be shared */
function ringSeat() {
  const { native, size } = chooseTransport();
  const seat = native?.ringSeat(size);
  if (seat === undefined) return {};
  if (seat.message === undefined) return { seat, native };
  process.emitWarning(`${seat.message}. Broadcasts go through the primary`);
  process.env.RUSTCLUSTER_BROADCAST = 'ipc';
  return {};
}

function install() {
  Object.defineProperty(cluster, INSTALLED, { value: true });
  const { fork } = cluster;
  cluster.fork = function forkIntoRing(env) {
    const { seat, native } = ringSeat();
    const forkNow = (text) => Reflect.apply(fork, this, [{ ...env, [VARIABLE]: `${text}:${process.pid}` }]);
    if (seat === undefined) return serve(forkNow('ipc'));
    const inherit = (first) => forkNow(`${first}:${first + 1}:${first + 2}`);
    const worker = forkInheriting(cluster, [seat.memory, seat.bell, seat.knocker], inherit);
    // It may have died between having sent and having woken those it sent to.
    worker.process.once('exit', () => native.wakeRing());
    // A worker that cannot map what it inherits says so, and is served like one that has nothing to map.
    return serve(worker);
  };
  require('node:module').syncBuiltinESMExports();
}

// The variable is for us alone, and for nothing this process may start.
takeSeat();
if (isMainThread && cluster.isPrimary && !Object.hasOwn(cluster, INSTALLED)) install();
serveThreads();
