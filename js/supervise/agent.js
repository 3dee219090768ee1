'use strict';
/**
 * The worker's side, preloaded with --require before the app's first line: the app itself needs no changed line.
 *
 * It ends the worker in order: what becomes of its connections is dispatch's (js/dispatch/move/drain.js); the process
 * ends here. Signals reach a whole process group (Ctrl-C) or cgroup (systemd) at once, so SIGTERM and SIGINT must not
 * kill a worker that the primary is about to drain.
 */
const { isMainThread } = require('node:worker_threads');
const cluster = require('../dispatch/index.js');
const { DRAIN } = require('../dispatch/move/drain.js');
const { envelope, handle } = require('./messages.js');

/** After the last connection has ended, for what an app still does without one (write a log, delete a file). */
const EXIT_GRACE = 100;
/**
 * How long after a signal a worker leaves of its own accord, in milliseconds. One that went to the whole group has reached
 * the primary, too, and that one knows what becomes of the connections.
 */
const ECHO = 50;
/** How often a worker tells its memory where nobody else can, in milliseconds. */
const MEMORY_PERIOD = 1000;

const signals = ['SIGTERM', 'SIGINT'];
let timeouts = { drainTimeout: 30_000, killTimeout: 5_000 };
/** From when (Date.now()) a SIGTERM means it; one that comes before is the echo of a signal to the whole group. */
let giveUpAt;
let idleIsClosed = false;

/** Ends the process: by the app's own SIGTERM handlers where it has some, at once otherwise. */
function finish() {
  for (const signal of signals) process.removeListener(signal, onSignal);
  if (process.listenerCount('SIGTERM') > 0) process.kill(process.pid, 'SIGTERM');
  else process.exit();
}

/** The worker leaves, by whoever's order. */
function onOrder({ idle }) {
  if (giveUpAt === undefined) setDeadline({ deadline: Date.now() + timeouts.drainTimeout });
  idleIsClosed ||= idle === 'close';
  cluster[DRAIN].closeOwn();
}

function setDeadline({ deadline }) {
  giveUpAt = deadline;
  // The last resort, for a worker whose primary is gone; a living one has sent SIGKILL by then.
  setTimeout(() => process.exit(1), deadline - Date.now() + timeouts.killTimeout).unref();
  process.once('disconnect', settle);
  cluster[DRAIN].once('empty', settle);
}

function settle() {
  // Every connection has ended. Unreferenced: a process that has nothing left to do exits before it fires, by itself.
  if (cluster[DRAIN].isEmpty && !process.connected) setTimeout(finish, EXIT_GRACE).unref();
}

function onSignal() {
  const drain = cluster[DRAIN];
  if (!drain.begun) setTimeout(leave, ECHO);
  // While idle connections linger, a signal says that nobody will serve them any more.
  else if (!idleIsClosed) drain.begin({ servers: [], idle: 'close' });
  else if (Date.now() >= giveUpAt) finish();
}

/** Asked to go by somebody else than the primary. */
function leave() {
  const drain = cluster[DRAIN];
  if (drain.begun) return;
  if (!drain.isOrdered) drain.begin({ servers: [], idle: 'linger' });
  cluster.worker.disconnect();
}

function configure({ drainTimeout, killTimeout, reportMemory }) {
  timeouts = { drainTimeout, killTimeout };
  // On Linux the primary asks the kernel.
  if (reportMemory && process.platform !== 'linux') setInterval(tellMemory, MEMORY_PERIOD).unref();
}

function tellMemory() {
  if (process.connected) process.send(envelope('memory', { bytes: process.memoryUsage.rss() }));
}

/**
 * Has the kernel kill this process with its primary: also one that computes in a loop, or waits, and so does not see
 * that its channel is closed.
 */
function dieWithPrimary() {
  const { RUSTCLUSTER_PARENT: parent } = process.env;
  // For this process alone, not for what it starts.
  delete process.env.RUSTCLUSTER_PARENT;
  if (parent === undefined) return;
  try {
    const { dieWithParent } = require('../native.js');
    if (dieWithParent?.(Number(parent)) === false) process.exit(1);
  } catch {
    // Without addon it ends when it sees the closed channel.
  }
}

if (cluster.isWorker && isMainThread) {
  dieWithPrimary();
  cluster[DRAIN].on('begin', onOrder);
  process.on('internalMessage', handle({ configure, deadline: setDeadline }));
  for (const signal of signals) process.on(signal, onSignal);
}
