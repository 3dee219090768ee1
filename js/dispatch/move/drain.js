'use strict';
/**
 * A worker that leaves: what can be moved goes to other workers, what cannot finishes. node:cluster then closes its
 * servers, disconnects when the last connection has ended, and lets the process end.
 */
const diagnostics = require('node:diagnostics_channel');
const { EventEmitter } = require('node:events');
const { closeAfterAnswers, closeUnused, sayGoodbye } = require('./farewell.js');

const REQUEST = 'http.server.request.start';
/** How often what should have ended is looked at again, in milliseconds. */
const TICK = 50;
/**
 * When everything stops: how long a connection on which nothing has come yet is kept, in milliseconds. Its client may
 * have connected this moment, and is about to send its first request.
 */
const FIRST_REQUEST = 250;

/** Where a worker's cluster keeps its drain: on the object, since jest loads a module many times. */
const DRAIN = Symbol.for('rustcluster.drain');

const nothing = () => {};

/** Emits 'begin' with each order to leave, and 'empty' when the last server has closed. */
class Drain extends EventEmitter {
  /** Servers that listen or still have connections. */
  #servers = new Set();
  /** HTTP/2 sessions. */
  #sessions = new Set();
  #mover;
  #order;
  #began = 0;

  /** Whether the primary is asked, and orders how to leave, when the worker disconnects by itself. */
  isOrdered = false;

  /** Servers that node:cluster closes when the worker disconnects. */
  shared = new WeakSet();

  /** @param {import('./mover.js').Mover | undefined} mover undefined where connections cannot be moved */
  constructor(mover) {
    super();
    this.#mover = mover;
  }

  /** Whether the worker has been told to leave. */
  get begun() {
    return this.#order !== undefined;
  }

  /** Whether no server is left, neither listening nor with connections. */
  get isEmpty() {
    return this.#servers.size === 0;
  }

  /** Closes the servers that are this process's own: node:cluster leaves those alone. */
  closeOwn() {
    for (const server of this.#servers) if (server.listening && !this.shared.has(server)) server.close();
  }

  /** A server listens, of whatever kind. */
  add(server) {
    if (this.#servers.has(server)) return;
    this.#servers.add(server);
    server.once('close', () => {
      this.#servers.delete(server);
      if (this.isEmpty) this.emit('empty');
    });
    // Of HTTP/2, by a method that is its alone: node:http2 is not loaded where the app does not.
    if (typeof server.updateSettings === 'function') {
      server.on('session', (session) => {
        this.#sessions.add(session);
        session.once('close', () => this.#sessions.delete(session));
      });
    }
  }

  /**
   * Begins to leave; a second order can only be harsher.
   * @param {{ servers: number[], idle: 'close' | 'linger' }} order `servers`: those whose connections other workers take;
   *   `idle`: whether idle connections nobody takes are closed at once (all workers stop), or once their keepAliveTimeout
   *   has passed (a client may be sending a request this moment)
   * @param {(found: { seen: number, idle: number, moved: number }) => void} [swept] hears of the first sweep
   */
  begin(order, swept) {
    const first = !this.begun;
    if (first || order.idle === 'close') this.#order = order;
    if (first) {
      this.#began = performance.now();
      diagnostics.subscribe(REQUEST, ({ request, response, socket }) => {
        if (request.httpVersionMajor === 1 && !this.#staysOpen(socket)) response.shouldKeepAlive = false;
      });
      setInterval(() => this.#tick(), TICK).unref();
    }
    // Its own closeIdleConnections() would close connections that are about to be moved, or linger.
    for (const server of this.#servers) {
      if (server.closeIdleConnections !== undefined && first) server.closeIdleConnections = nothing;
    }
    if (first && order.servers.length > 0) this.#mover?.start(order, { swept });
    else if (order.idle === 'close') this.#mover?.stop();
    for (const server of this.#servers) closeAfterAnswers(server, (socket) => this.#staysOpen(socket));
    for (const session of this.#sessions) sayGoodbye(session);
    // After one turn of the loop: requests that have arrived by now are read first.
    if (order.idle === 'close') setImmediate(() => setImmediate(() => this.#closeIdle()));
    this.emit('begin', order);
  }

  #staysOpen(socket) {
    return this.#mover?.willMove(socket) === true;
  }

  #closeIdle() {
    for (const server of this.#servers) {
      // Not ours any more: Node's own.
      if (Object.hasOwn(server, 'closeIdleConnections')) delete server.closeIdleConnections;
      server.closeIdleConnections?.();
      if (performance.now() - this.#began > FIRST_REQUEST) closeUnused(server);
    }
  }

  #tick() {
    if (this.#order.idle === 'close') {
      // The client may have kept the connection although the answer's head had left before the drain began.
      this.#closeIdle();
      return;
    }
    // Used ones are closed by Node when their time is up; of those that were never used it loses sight once the server
    // is closed.
    const age = performance.now() - this.#began;
    for (const server of this.#servers) {
      if (server.keepAliveTimeout > 0 && age > server.keepAliveTimeout) closeUnused(server);
    }
  }
}

module.exports = { DRAIN, Drain };
