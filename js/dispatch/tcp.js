'use strict';
/** Node's own TCP handles, whose class it does not export: a socket made of a descriptor shows it. */
const net = require('node:net');

/** TCPConstants of Node's tcp_wrap. */
const SOCKET = 0;
const SERVER = 1;

let TCP;

/** @param {object} native the addon */
function tcpClass(native) {
  if (TCP === undefined) {
    const probe = new net.Socket({ fd: native.openTcpSocket(), readable: false, manualStart: true });
    TCP = probe._handle.constructor;
    probe.destroy();
  }
  return TCP;
}

/** @returns {object | undefined} a handle for the listening socket `fd`, which is the handle's from here on */
function tcpHandle(native, fd) {
  const handle = new (tcpClass(native))(SERVER);
  if (handle.open(fd) === 0) return handle;
  native.closeDescriptor(fd);
  return undefined;
}

module.exports = { SOCKET, tcpClass, tcpHandle };
