'use strict';
/** `cluster.broadcast(value)`: what a loop of `worker.send(value)` over all workers does, at the price of one. */
const { isMainThread } = require('node:worker_threads');
const { createError } = require('../errors.js');
const { decode } = require('./codec.js');
require('./fork.js');
const { DEFAULT_MAX_LAG, hub } = require('./hub.js');
const { takeSeat } = require('./transport.js');

const INSTALLED = Symbol.for('rustcluster.broadcast.cluster');
/** No name an app would choose. */
const CHANNEL = '\0rustcluster/cluster';

let sender;

/**
 * Sends a value to all workers, which get it as `message`.
 * @param {unknown} value anything structured clone takes
 * @throws DataCloneError, ERR_BROADCAST_FULL; ERR_SUPERVISOR_STATE in a worker
 */
function broadcast(value) {
  sender ??= hub().join(CHANNEL);
  hub().post(sender, value);
}

function refuse() {
  throw createError(
    'ERR_SUPERVISOR_STATE',
    'cluster.broadcast() was called in a worker; a BroadcastChannel reaches all',
  );
}

const emit = (value) => process.emit('message', value, undefined);

/** What is thrown is thrown as if in a callback of its own: the messages behind it are not to suffer. */
function isolate(act) {
  try {
    act();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

/** A worker hears what its primary broadcasts, for as long as it is connected. */
function hear() {
  const receive = (kind, buffer, start, end) => {
    if (process.connected) isolate(() => emit(decode(kind, buffer, start, end)));
  };
  const deliver = (value) => {
    if (process.connected) isolate(() => emit(value));
  };
  const missed = (count) =>
    process.emitWarning(`${count} broadcasts of the primary were overwritten before this worker read them`, {
      code: 'ERR_BROADCAST_MISSED',
    });
  const member = { ...hub().join(CHANNEL), maxLag: DEFAULT_MAX_LAG, receive, deliver, missed };
  hub().listen(member);
  process.once('disconnect', () => hub().leave(member));
}

/** @param {object} cluster node:cluster */
function install(cluster) {
  if (!isMainThread || Object.hasOwn(cluster, INSTALLED)) return;
  Object.defineProperty(cluster, INSTALLED, { value: true });
  cluster.broadcast = cluster.isPrimary ? broadcast : refuse;
  if (cluster.isWorker && takeSeat() !== undefined && process.connected) hear();
}

module.exports = { install };
