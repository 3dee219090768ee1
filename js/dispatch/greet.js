'use strict';
/**
 * Makes a socket of a connection and gives it to its server, which is what Node's `net` does when it accepts one.
 *
 * On Node 20 it is done here. There net.Socket copies its options, and the copy of an object literal that lacks a property
 * which is added later has a map of its own every time (not so on later lines): what reads the options misses its cache, for a
 * fifth of what a short connection costs. A literal that has all of them is spared that.
 */
const diagnostics = require('node:diagnostics_channel');
const net = require('node:net');

const COPIES_SLOWLY = Number(process.versions.node.split('.')[0]) < 22;
const CHANNEL = diagnostics.channel('net.server.socket');
const { Socket } = net;

/**
 * @param {object} server of net
 * @param {object} listener the server's handle
 * @param {(errno: number, handle: object) => void} accept what net has set on it as `onconnection`
 * @param {object} handle the connection's
 */
function greet(server, listener, accept, handle) {
  // What is beyond a limit is dropped, and told: too rare to be done here.
  if (!COPIES_SLOWLY || server.maxConnections) Reflect.apply(accept, listener, [0, handle]);
  else greetOn20(server, handle);
}

/** `onconnection` of lib/net.js on that line, which gets no more changes. */
function greetOn20(server, handle) {
  const { keepAlive, keepAliveInitialDelay: seconds, noDelay, highWaterMark } = server;
  const socket = new Socket({
    handle,
    allowHalfOpen: server.allowHalfOpen,
    pauseOnCreate: server.pauseOnConnect,
    readable: true,
    writable: true,
    readableHighWaterMark: highWaterMark,
    writableHighWaterMark: highWaterMark,
    noDelay,
    keepAlive,
    keepAliveInitialDelay: keepAlive ? seconds * 1000 : 0,
    // These are what net.Socket sets in its copy.
    emitClose: false,
    autoDestroy: true,
    decodeStrings: false,
  });
  if (noDelay) handle.setNoDelay(true);
  if (keepAlive) handle.setKeepAlive(true, seconds);
  server._connections++;
  socket.server = server;
  socket._server = server;
  server.emit('connection', socket);
  if (CHANNEL.hasSubscribers) CHANNEL.publish({ socket });
}

module.exports = { greet };
