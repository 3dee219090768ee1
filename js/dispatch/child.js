'use strict';
/**
 * A worker's half: node:cluster asks for a server as ever, and what it makes of the answer, a handle that only looks
 * like a socket, is given the connections that come through the channel.
 */
const net = require('node:net');
const { checkPolicy } = require('./policies.js');
const { takeSeat } = require('./seat.js');
const { Receiver } = require('./receiver.js');

/** @param {object} cluster node:cluster of a worker @param {{ name: string, native?: object }} transport */
function install(cluster, { name, native }) {
  const seat = takeSeat();
  const receiver = seat === undefined || native === undefined ? undefined : openReceiver(native, seat, name);
  Object.defineProperty(cluster, 'transport', { enumerable: true, value: receiver?.transport ?? 'stock' });
  cluster.connections = () => receiver?.connections() ?? [];
  const policies = rememberPolicies();
  if (receiver === undefined) return;

  /** What the primary has said about the server being set up: node:cluster calls back while it passes the message on. */
  let reply;
  process.prependListener('internalMessage', (message) => {
    reply = message?.cmd === 'NODE_CLUSTER' && message.rustcluster !== undefined ? message : undefined;
  });

  const { _getServer } = cluster;
  cluster._getServer = function getServer(server, options, callback) {
    if (!isPlainTcp(options)) return Reflect.apply(_getServer, this, [server, options, callback]);
    const query = { ...options, rustcluster: { policy: policies.get(server) } };
    return Reflect.apply(_getServer, this, [
      server,
      query,
      (errno, handle) => {
        const number = errno ? undefined : reply?.rustcluster.server;
        callback(errno, handle);
        // net has by now set what takes a connection, unless the server was closed in between.
        if (number !== undefined && handle.onconnection !== undefined) receiver.serve(number, handle, server);
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

/** `listen({ policy })`: node:cluster is not told about options it does not know. @returns {WeakMap<object, string>} */
function rememberPolicies() {
  const policies = new WeakMap();
  const { listen } = net.Server.prototype;
  net.Server.prototype.listen = function listenWithPolicy(...args) {
    const policy = checkPolicy('options.policy', args[0]?.policy);
    if (policy !== undefined) policies.set(this, policy);
    return Reflect.apply(listen, this, args);
  };
  Object.defineProperty(net.Server.prototype.listen, 'name', { value: listen.name });
  return policies;
}

module.exports = { install };
