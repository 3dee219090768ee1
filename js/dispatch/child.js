'use strict';
/**
 * A worker's half: node:cluster asks for a server as ever, and what it makes of the answer, a handle that only looks
 * like a socket, is given the connections that come through the channel.
 */
const net = require('node:net');
const { listen, tell } = require('./messages.js');
const { DRAIN, Drain } = require('./move/drain.js');
const { checkFlag, checkPolicy } = require('./policies.js');
const { takeSeat } = require('./seat.js');
const { Receiver } = require('./receiver.js');

/** @param {object} cluster node:cluster of a worker @param {{ name: string, native?: object }} transport */
function install(cluster, { name, native }) {
  const seat = takeSeat();
  const receiver = seat === undefined || native === undefined ? undefined : openReceiver(native, seat, name);
  Object.defineProperty(cluster, 'transport', { enumerable: true, value: receiver?.transport ?? 'stock' });
  cluster.connections = () => receiver?.connections() ?? [];
  const drain = new Drain(receiver?.mover);
  Object.defineProperty(cluster, DRAIN, { value: drain });
  const asked = rememberOptions(drain);
  leaveOnce(cluster);
  obey(cluster, drain, receiver?.mover, seat?.moves === true);

  const { _getServer } = cluster;
  cluster._getServer = function getShared(server, ...rest) {
    drain.shared.add(server);
    return Reflect.apply(_getServer, this, [server, ...rest]);
  };
  if (receiver !== undefined) receive(cluster, receiver, asked);
}

/** Has the servers of this worker take the connections that come through the channel. */
function receive(cluster, receiver, asked) {
  /** What the primary has said about the server being set up: node:cluster calls back while it passes the message on. */
  let reply;
  process.prependListener('internalMessage', (message) => {
    reply = message?.cmd === 'NODE_CLUSTER' && message.rustcluster !== undefined ? message : undefined;
  });

  const { _getServer } = cluster;
  cluster._getServer = function getServer(server, options, callback) {
    if (!isPlainTcp(options)) return Reflect.apply(_getServer, this, [server, options, callback]);
    const query = { ...options, rustcluster: { policy: asked.get(server)?.policy } };
    return Reflect.apply(_getServer, this, [
      server,
      query,
      (errno, handle) => {
        const number = errno ? undefined : reply?.rustcluster.server;
        callback(errno, handle);
        // net has by now set what takes a connection, unless the server was closed in between.
        if (number === undefined || handle.onconnection === undefined) return;
        receiver.serve(number, handle, server, asked.get(server)?.moveConnections !== false);
      },
    ]);
  };
}

/** @returns {Receiver | undefined} undefined where what the primary has lent cannot be used: node:cluster takes over */
function openReceiver(native, { channel, memory, slot }, transport) {
  try {
    return new Receiver(native, new native.Channel(channel, memory, slot), transport);
  } catch (error) {
    process.emitWarning(`${error.message}. Connections go the way of node:cluster`);
    return undefined;
  }
}

/** UDP, unix sockets and sockets that exist already are node:cluster's. */
function isPlainTcp({ port, addressType, fd }) {
  return (addressType === 4 || addressType === 6) && port >= 0 && !(fd >= 0);
}

/**
 * `listen({ policy, moveConnections })`: node:cluster is not told about options it does not know.
 * @returns {WeakMap<object, { policy?: string, moveConnections?: boolean }>}
 */
function rememberOptions(drain) {
  const known = new WeakMap();
  const { listen: original } = net.Server.prototype;
  net.Server.prototype.listen = function listenWithPolicy(...args) {
    const policy = checkPolicy('options.policy', args[0]?.policy);
    const moveConnections = checkFlag('options.moveConnections', args[0]?.moveConnections);
    known.set(this, { policy, moveConnections });
    return Reflect.apply(original, this, args);
  };
  Object.defineProperty(net.Server.prototype.listen, 'name', { value: original.name });
  watchListening((server) => drain.add(server));
  return known;
}

/** Tells of every server of net that listens, by no listener: the app would see it among its own. */
function watchListening(found) {
  const { _listen2: setUp } = net.Server.prototype;
  net.Server.prototype._listen2 = function setUpAndTell(...args) {
    const result = Reflect.apply(setUp, this, args);
    // Without a handle it has failed.
    if (this._handle) found(this);
    return result;
  };
}

/**
 * node:cluster closes the channel once for each of two orders to leave, the worker's own and the primary's, and the second
 * time is an uncaught ERR_IPC_DISCONNECTED. Both come where a signal reaches the whole process group.
 */
function leaveOnce(cluster) {
  let leaving = false;
  const { disconnect, destroy } = cluster.Worker.prototype;
  cluster.Worker.prototype.disconnect = function disconnectOnce() {
    if (leaving) return this;
    leaving = true;
    return Reflect.apply(disconnect, this, []);
  };
  cluster.Worker.prototype.destroy = function destroyOnce(...args) {
    leaving = true;
    return Reflect.apply(destroy, this, args);
  };
  process.prependListener('internalMessage', (message) => {
    if (message?.cmd !== 'NODE_CLUSTER' || message.act !== 'disconnect') return;
    // node:cluster passes over what is not addressed to it.
    if (leaving) message.cmd = 'NODE_RUSTCLUSTER';
    leaving = true;
  });
}

/** Does what the primary says about moving connections, and asks it before this worker disconnects by itself. */
function obey(cluster, drain, mover, asks) {
  let proceed;
  listen(process, {
    drain(order) {
      drain.begin(order, (found) => tell(process, 'swept', found));
      proceed?.();
    },
    async shed({ servers, count, within }) {
      const moved = drain.begun ? 0 : await mover?.move({ servers, count }, within);
      tell(process, 'shed', { moved: moved ?? 0 });
    },
  });
  drain.isOrdered = asks;
  if (!asks) return;
  const { disconnect } = cluster.Worker.prototype;
  cluster.Worker.prototype.disconnect = function disconnectAndMove() {
    if (drain.begun || !process.connected) return Reflect.apply(disconnect, this, []);
    if (proceed !== undefined) return this;
    this.exitedAfterDisconnect = true;
    proceed = () => {
      proceed = () => {};
      Reflect.apply(disconnect, this, []);
    };
    // Without an answer when the primary is gone.
    process.once('disconnect', () => proceed());
    tell(process, 'leave', {});
    return this;
  };
}

module.exports = { install };
