'use strict';
/**
 * The worker's side, preloaded with --require before the app's first line: the app itself needs no changed line.
 *
 * It ends the worker in order. Signals reach a whole process group (Ctrl-C) or cgroup (systemd) at once, so SIGTERM
 * and SIGINT must not kill a worker that the primary is about to drain.
 */
const cluster = require('node:cluster');
const diagnostics = require('node:diagnostics_channel');
const net = require('node:net');
const { isMainThread } = require('node:worker_threads');
const { envelope, handle } = require('./messages.js');

/** After the last connection has ended, for what an app still does without one (write a log, delete a file). */
const EXIT_GRACE = 100;
/** How often a worker tells its memory where nobody else can, in milliseconds. */
const MEMORY_PERIOD = 1000;

const sockets = new Set();
const answering = new Set();
const signals = ['SIGTERM', 'SIGINT'];
let draining = false;
let closeIdle = false;
let giveUpAt = 0;
let timeouts = { drainTimeout: 30_000, killTimeout: 5_000 };

function onSocket({ socket }) {
  sockets.add(socket);
  socket.once('close', () => {
    sockets.delete(socket);
    if (draining) settle();
  });
}

function onRequest({ request, response }) {
  answering.add(response);
  response.once('close', () => {
    answering.delete(response);
    // The client may have kept the connection although the answer's head had left before the drain began.
    if (closeIdle) setImmediate(closeIdleSockets);
  });
  if (draining && request.httpVersionMajor === 1) response.shouldKeepAlive = false;
}

/** The HTTP servers and others that have connections, or had. */
function servers() {
  return new Set([...sockets].map((socket) => socket.server).filter((server) => server instanceof net.Server));
}

function closeIdleSockets() {
  for (const server of servers()) server.closeIdleConnections?.();
  for (const socket of sockets) {
    // A connection on which nothing ever came (a browser opens some ahead) is idle, too; Node counts it as active.
    if (socket.bytesRead === 0) socket.destroy();
  }
}

/** Ends the process: by the app's own SIGTERM handlers where it has some, at once otherwise. */
function finish() {
  for (const signal of signals) process.removeListener(signal, onSignal);
  if (process.listenerCount('SIGTERM') > 0) process.kill(process.pid, 'SIGTERM');
  else process.exit();
}

function settle() {
  // Unreferenced: a process that has nothing left to do exits before it fires, by itself.
  if (sockets.size === 0 && !cluster.worker.isConnected()) setTimeout(finish, EXIT_GRACE).unref();
}

/**
 * Takes no new connections, finishes what runs, then exits.
 * @param {{ idle: 'close' | 'linger', deadline?: number }} order `deadline`: from when (Date.now()) a SIGTERM means
 *   it; one that comes before is the echo of a signal to the whole group. `idle`: what happens to idle kept-alive connections: closed now (nobody will
 *   serve them any more), or kept until their keepAliveTimeout with `Connection: close` on a next answer (a client may
 *   be sending a request on them this very moment)
 */
function drain({ idle, deadline }) {
  closeIdle ||= idle === 'close';
  if (!draining) {
    const { drainTimeout, killTimeout } = timeouts;
    draining = true;
    giveUpAt = deadline ?? Date.now() + drainTimeout;
    for (const response of answering) if (!response.headersSent) response.shouldKeepAlive = false;
    // net's close and not http's: that one would close idle connections whatever `idle` says.
    for (const server of servers()) net.Server.prototype.close.call(server);
    cluster.worker.once('disconnect', settle);
    // Worker-initiated: handles in flight are answered 'not accepted' and the primary gives them to another worker.
    cluster.worker.disconnect();
    // The last resort, for a worker whose primary is gone; a living one has sent SIGKILL by then.
    setTimeout(() => process.exit(1), drainTimeout + killTimeout).unref();
  }
  // After one turn of the loop: requests that have arrived by now are read first.
  if (closeIdle) setImmediate(() => setImmediate(closeIdleSockets));
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

function onSignal() {
  // While idle connections linger, a signal says that nobody will serve them any more.
  if (!draining || !closeIdle) drain({ idle: 'close' });
  else if (Date.now() >= giveUpAt) finish();
}

if (cluster.isWorker && isMainThread) {
  dieWithPrimary();
  diagnostics.subscribe('net.server.socket', onSocket);
  diagnostics.subscribe('http.server.request.start', onRequest);
  process.on('internalMessage', handle({ configure, drain }));
  for (const signal of signals) process.on(signal, onSignal);
}
