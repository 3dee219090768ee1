'use strict';
/**
 * The primary's half: node:cluster's `fork` gives each worker a seat at the dispatcher, and a worker's question for a
 * TCP server is answered here before node:cluster hears it.
 */
const { fromNative } = require('../errors.js');
const { forkInheriting } = require('../inherit.js');
const { integer } = require('../options.js');
const { Handover } = require('./handover.js');
const { INTERNALS, internals } = require('./internals.js');
const { checkFlag, checkPolicy, DEFAULT_POLICY } = require('./policies.js');
const { writeSeat } = require('./seat.js');
const { Servers } = require('./servers.js');
const { tcpHandle } = require('./tcp.js');

/** Signals by which somebody ends a worker on purpose. */
const ASKED_TO_END = new Set(['SIGTERM', 'SIGINT', 'SIGHUP']);

/** @param {object} cluster node:cluster of a primary @param {{ name: string, native?: object }} transport */
function install(cluster, { name, native }) {
  Object.defineProperty(cluster, 'transport', {
    enumerable: true,
    get: () => (cluster.schedulingPolicy === cluster.SCHED_RR ? name : 'stock'),
  });
  cluster.connections = () => [];
  checkOptionsOfSettings(cluster);

  /** Made by the first fork: a primary that never forks has no thread. */
  let dispatcher;
  const servers = new Servers(() => dispatcher);
  /** worker -> its seat */
  const seats = new WeakMap();
  const seatOf = (worker) => seats.get(worker);
  const handover = new Handover(cluster, { seatOf, servers, dispatcher: () => dispatcher });
  handover.install();
  if (name === 'stock') return;
  cluster.connections = () => dispatcher?.connections() ?? [];
  Object.assign(
    cluster[INTERNALS],
    internals(native, () => dispatcher, seats, handover),
  );

  const { fork } = cluster;
  cluster.fork = function forkSeated(env) {
    // node:cluster reads its policy once, at the first setupPrimary(), which is in here at the latest.
    if (cluster.schedulingPolicy !== cluster.SCHED_RR) return Reflect.apply(fork, this, [env]);
    dispatcher ??= new native.Dispatcher(stallLimit());
    const seat = dispatcher.addWorker();
    if (seat.message !== undefined) throw fromNative(seat);
    const worker = forkInto(cluster, fork, env, seat, dispatcher);
    seats.set(worker, seat);
    dispatcher.workerStarted(seat.id, worker.id, worker.process.pid ?? 0);
    attend(cluster, worker, seat, dispatcher, servers, native);
    handover.attend(worker);
    return worker;
  };
}

/** @returns {number | undefined} milliseconds, as the environment says @throws ERR_OUT_OF_RANGE */
function stallLimit() {
  const text = process.env.RUSTCLUSTER_STALL_LIMIT;
  return text ? integer('RUSTCLUSTER_STALL_LIMIT', Number(text), { min: 1, max: 2 ** 32 - 1 }) : undefined;
}

function checkOptionsOfSettings(cluster) {
  const { setupPrimary } = cluster;
  cluster.setupPrimary = function setupPrimaryWithPolicy(options) {
    checkPolicy('options.policy', options?.policy);
    for (const name of ['moveConnections', 'rebalance']) checkFlag(`options.${name}`, options?.[name]);
    return Reflect.apply(setupPrimary, this, [options]);
  };
  cluster.setupMaster = cluster.setupPrimary;
}

/** Forks as node:cluster does, with two more descriptors for the worker to inherit. */
function forkInto(cluster, fork, env, seat, dispatcher) {
  const moves = cluster.settings.moveConnections === true;
  const forkAt = (first) => {
    const inherited = { channel: first, memory: first + 1, slot: seat.slot, moves };
    return Reflect.apply(fork, cluster, [writeSeat(env, inherited)]);
  };
  let worker;
  try {
    worker = forkInheriting(cluster, [seat.channel, seat.memory], forkAt);
  } finally {
    if (worker === undefined) dispatcher.removeWorker(seat.id);
  }
  return worker;
}

/** Listens to a worker before node:cluster does. */
function attend(cluster, worker, seat, dispatcher, servers, native) {
  worker.process.prependListener('internalMessage', (message) => {
    if (message?.cmd !== 'NODE_CLUSTER') return;
    if (message.act === 'queryServer' && message.rustcluster !== undefined) {
      // Once it drains, node:cluster does not answer either.
      if (!worker.exitedAfterDisconnect) answer(cluster, worker, seat, message, servers, native);
    } else if (message.act !== 'close' || !servers.close(worker, message.key)) {
      return;
    }
    // node:cluster passes over what is not addressed to it.
    message.cmd = 'NODE_RUSTCLUSTER';
  });
  worker.process.prependOnceListener('disconnect', () => {
    // What becomes of its sockets is decided at its exit, unless it may live on.
    if (worker.exitedAfterDisconnect) servers.leaveAll(worker);
    dispatcher.retireWorker(seat.id);
  });
  worker.process.prependOnceListener('exit', (code, signal) => {
    const asked = worker.exitedAfterDisconnect || code === 0 || ASKED_TO_END.has(signal);
    if (asked) servers.leaveAll(worker);
    else servers.orphanAll(worker);
    dispatcher.removeWorker(seat.id);
  });
}

function answer(cluster, worker, seat, message, servers, native) {
  const policy = message.rustcluster.policy ?? cluster.settings.policy ?? DEFAULT_POLICY;
  const { fd, ...reply } = servers.query(worker, seat.id, { ...message, policy });
  const handle = fd === undefined ? undefined : tcpHandle(native, fd);
  const sent = { cmd: 'NODE_CLUSTER', ack: message.seq, ...reply };
  // The worker has its own duplicate once the message is sent, or never will.
  if (worker.process.connected) worker.process.send(sent, handle, () => handle?.close());
  else handle?.close();
}

module.exports = { install };
