'use strict';
/**
 * When an HTTP/1.1 connection may change its worker: exactly when nothing but the descriptor would be lost, no byte of a
 * request that has been read, no byte of an answer that has not left.
 *
 * It asks Node's internals. Each is looked up as something that is there and has the value wanted: what another Node
 * calls by another name makes a connection one that cannot be moved, never one that is moved wrongly.
 */

/** On a handle: the server its connection came to, see `Receiver`. */
const kHome = Symbol('rustcluster.home');

/** Instead of milliseconds: no request ever came. */
const FRESH = 0;
/** Instead of milliseconds: there is no limit. */
const FOREVER = 2 ** 32 - 1;

const symbols = new Map();

/** The value an object has under a symbol of Node's own, which only its description tells. */
function internal(object, description) {
  let symbol = symbols.get(description);
  if (symbol === undefined) {
    symbol = Object.getOwnPropertySymbols(object).find((one) => one.description === description);
    if (symbol === undefined) return undefined;
    symbols.set(description, symbol);
  }
  return object[symbol];
}

/** Node's list of a server's HTTP/1.1 connections, undefined where there is none. */
function listOf(server) {
  const list = internal(server, 'http.server.connections');
  return typeof list?.active === 'function' && typeof list.all === 'function' ? list : undefined;
}

/** @returns {object[]} the sockets of a server's HTTP/1.1 connections, those in TLS included */
function socketsOf(server) {
  const parsers = listOf(server)?.all() ?? [];
  return parsers.map((parser) => parser.socket).filter(Boolean);
}

/** @returns {Set<object> | undefined} the parsers in the middle of a request, or that have never met one */
function activeOf(server) {
  const list = listOf(server);
  return list && new Set(list.active());
}

/**
 * Whether a connection can be moved at all, once it is idle. Leaves out TLS, HTTP/2, what was upgraded, and what the app
 * itself reads from (it has the bytes then, and not Node's parser).
 */
function isMovable(socket) {
  const { _handle: handle, parser } = socket;
  const home = handle?.[kHome];
  return (
    home?.moves === true &&
    !socket.destroyed &&
    socket.server === home.server &&
    parser?.socket === socket &&
    parser._consumed === true
  );
}

/**
 * Whether a movable connection is idle this moment.
 * @param {object} socket
 * @param {Set<object> | undefined} active of its server, in this very turn
 */
function isIdle(socket, active) {
  // Also of one that came from another worker and has not spoken since: its request was answered there.
  const unread = socket.bytesRead === 0;
  const answered = unread ? socket._httpMessage == null : socket._httpMessage === null;
  return (
    answered &&
    active !== undefined &&
    // A parser that has read nothing is active, too, so that its connection does not wait for ever.
    (unread || !active.has(socket.parser)) &&
    socket._paused === false &&
    socket.readable === true &&
    socket.readableLength === 0 &&
    socket.writableEnded === false &&
    socket.writableLength === 0 &&
    socket._handle.writeQueueSize === 0
  );
}

/**
 * For how long an idle connection that has been used may stay idle.
 * @returns {number} milliseconds from 1, or `FOREVER`
 */
function idleTime(socket) {
  const { keepAliveTimeout } = socket.server;
  if (!keepAliveTimeout) return FOREVER;
  const timer = internal(socket, 'timeout');
  const left = timer?._idleStart + timer?._idleTimeout - loopTime();
  return clamp(Number.isFinite(left) ? left : keepAliveTimeout);
}

/** @returns {number} milliseconds as the channel carries them */
const clamp = (milliseconds) => Math.min(Math.max(Math.ceil(milliseconds), 1), FOREVER - 1);

/** The clock that Node's timers run by; it shows in a timer that has just been set. */
function loopTime() {
  const timer = setTimeout(() => {}, 2 ** 30);
  clearTimeout(timer);
  return timer._idleStart;
}

/** @returns {object | undefined} the socket of a handle that a server has taken */
const ownerOf = (handle) => internal(handle, 'owner_symbol');

module.exports = { activeOf, clamp, FOREVER, FRESH, idleTime, isIdle, isMovable, kHome, ownerOf, socketsOf };
