'use strict';
/**
 * The primary's half of moving connections: it says which worker leaves or has too many, and which servers others take
 * connections for. The descriptors themselves travel past JavaScript (src/dispatch/hub/flow.rs).
 */
const { setTimeout: sleep } = require('node:timers/promises');
const check = require('../options.js');
const { surplus } = require('./balance.js');
const { INTERNALS } = require('./internals.js');
const { listen, tell } = require('./messages.js');
const { checkFlag } = require('./policies.js');

/** Longest wait that a timer of Node can hold, in milliseconds. */
const MAX_DELAY = 2 ** 31 - 1;
/** How long a worker looks for connections it can spare, in milliseconds. */
const SHED_TIME = 1000;
/** How long to wait for a worker's report after that: it may be busy. In milliseconds. */
const GRACE = 1000;
/** For how long evening out is tried: connections come, go and are busy meanwhile. In milliseconds. */
const EVEN_TIME = 10_000;
/** The pause after the first round, in milliseconds; it doubles: what is on its way is counted nowhere. */
const PAUSE = 5;
/** From a worker's first connection to evening out, in milliseconds: several servers of an app listen at once. */
const SETTLE = 10;
/** How often to look whether workers have taken what they were given, in milliseconds. */
const LOOK = 5;

class Handover {
  #cluster;
  #seatOf;
  #dispatcher;
  #servers;
  /** worker -> what it reports: { swept, shed } */
  #reports = new WeakMap();
  /** Workers that have been told to leave. */
  #leaving = new WeakSet();
  #leavingAll = false;
  /** Everything stops: whoever wants to leave is told to in time. */
  #stopping = false;
  #rebalancing;
  #scheduled;
  #disconnect;

  /**
   * @param {object} cluster node:cluster
   * @param {{ seatOf: (worker: object) => object | undefined, dispatcher: () => object | undefined,
   *   servers: import('./servers.js').Servers }} parts no seats and no dispatcher over 'stock'
   */
  constructor(cluster, { seatOf, dispatcher, servers }) {
    this.#cluster = cluster;
    this.#seatOf = seatOf;
    this.#dispatcher = dispatcher;
    this.#servers = servers;
    this.#disconnect = cluster.Worker.prototype.disconnect;
  }

  /** Puts drain() and rebalance() on the cluster, and has disconnect() move connections where that is asked for. */
  install() {
    const handover = this;
    const cluster = this.#cluster;
    cluster.drain = (worker, options) => this.drain(worker, options);
    cluster.rebalance = () => this.rebalance();
    cluster.Worker.prototype.disconnect = function disconnectAndRetire() {
      // Otherwise as node:cluster has it: idle connections are closed.
      handover.#dismiss(this, cluster.settings.moveConnections === true ? { idle: 'linger', moves: true } : undefined);
      return this;
    };
    const { disconnect } = cluster;
    cluster.disconnect = function disconnectAll(callback) {
      handover.#leavingAll = true;
      try {
        return Reflect.apply(disconnect, this, [callback]);
      } finally {
        handover.#leavingAll = false;
      }
    };
  }

  /** A worker was forked. */
  attend(worker) {
    const report = { swept: undefined, shed: () => {} };
    this.#reports.set(worker, report);
    worker.process.once('disconnect', () => report.shed(0));
    listen(worker.process, {
      swept: ({ seen, idle, moved }) => {
        report.swept = { seen, idle, moved };
      },
      shed: ({ moved }) => report.shed(moved),
      // It disconnects by itself and asks who takes what it has.
      leave: () => {
        if (this.#stopping) return;
        this.#retire(worker);
        this.#order(worker, { idle: 'linger', moves: true });
      },
    });
    worker.process.on('internalMessage', (message) => {
      if (message?.cmd === 'NODE_CLUSTER' && message.act === 'listening') this.evenSoon();
    });
  }

  /**
   * Ends a worker in order. At once it gets no new connection, and what it has not taken goes to others; its idle
   * HTTP/1.1 connections go to others, in a first sweep and, those that are busy, each when its answer has left; what
   * cannot be moved finishes, with `Connection: close` or GOAWAY. Then it disconnects, and exits once it has nothing
   * else to do.
   * @param {object} worker of this cluster
   * @param {{ timeout?: number, idle?: 'linger' | 'close', move?: boolean }} [options] `timeout`: milliseconds after which the promise
   *   resolves all the same, default none; the worker is not killed. `idle`: whether idle connections that cannot be
   *   moved stay open until their keepAliveTimeout, as a client may be sending on them this moment (default), or all
   *   idle ones are closed at once and none is moved, since everything stops. `move`: false leaves connections where
   *   they are. To ask again is allowed
   * @returns {Promise<{ moved: number, swept: { seen: number, idle: number, moved: number } | undefined,
   *   duration: number, timedOut: boolean }>} once it has disconnected or ended. `moved`: connections it has passed on in
   *   its life; `swept`: what the first sweep has looked at, found idle, and moved; `duration` in milliseconds
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE
   */
  async drain(worker, options) {
    if (!(worker instanceof this.#cluster.Worker)) throw check.typeError('worker', 'a worker of the cluster', worker);
    const { timeout, idle, move } = check.object('options', options);
    const limit = check.integer('options.timeout', timeout, { min: 0, max: MAX_DELAY });
    const mode = check.oneOf('options.idle', idle, ['linger', 'close'], 'linger');
    const moves = checkFlag('options.move', move) ?? true;
    const began = performance.now();
    let { moved } = this.#loadOf(worker);
    if (!worker.isConnected()) return { moved, swept: undefined, duration: 0, timedOut: false };
    let timer;
    const ended = new Promise((resolve) => {
      // First of all who listen: the slot with its counters is the next worker's after the exit.
      const end = () => {
        ({ moved } = this.#loadOf(worker, moved));
        resolve(false);
      };
      worker.process.prependOnceListener('disconnect', end);
      worker.process.prependOnceListener('exit', end);
      if (limit !== undefined) timer = setTimeout(resolve, limit, true);
    });
    this.#dismiss(worker, { idle: mode, moves });
    const timedOut = await ended;
    clearTimeout(timer);
    if (timedOut) ({ moved } = this.#loadOf(worker, moved));
    return { moved, swept: this.#reports.get(worker)?.swept, duration: performance.now() - began, timedOut };
  }

  /**
   * Evens out the connections of the workers: those with more than their share pass idle HTTP/1.1 ones on, and busy ones
   * when their answers have left, for a second at most. Servers under `sticky` are left alone.
   * @returns {Promise<{ moved: number }>} once they are even, or cannot be made so
   */
  rebalance() {
    this.#rebalancing ??= this.#even().finally(() => {
      this.#rebalancing = undefined;
    });
    return this.#rebalancing;
  }

  async #even() {
    const end = performance.now() + EVEN_TIME;
    let moved = 0;
    for (let pause = PAUSE; performance.now() < end; pause *= 2) {
      const servers = this.#servers.taking((server) => server.policy !== 'sticky');
      const members = new Set(servers.flatMap((server) => [...server.members]));
      // Who is held gets none, and keeps what it has.
      const open = [...members].filter((worker) => !this.#cluster[INTERNALS].isHeld(worker));
      const workers = new Map(open.map((worker) => [worker.id, worker]));
      const loads = (this.#dispatcher()?.connections() ?? []).filter(({ id }) => workers.has(id));
      const numbers = servers.map(({ number }) => number);
      const sheds = surplus(loads).map(({ id, count }) => this.#shed(workers.get(id), numbers, count));
      // What was moved and has not been read is taken back from a worker that turns out to hang.
      if (sheds.length === 0 && (moved === 0 || loads.every(({ waiting }) => waiting === 0))) break;
      const counts = await Promise.all(sheds);
      const sum = counts.reduce((total, count) => total + count, 0);
      moved += sum;
      await sleep(pause, undefined, { ref: false });
    }
    return { moved };
  }

  /** Has a worker pass `count` connections on. @returns {Promise<number>} how many it has */
  #shed(worker, servers, count) {
    const report = this.#reports.get(worker);
    if (report === undefined || !worker.isConnected()) return 0;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, SHED_TIME + GRACE, 0);
      report.shed = (moved) => {
        clearTimeout(timer);
        resolve(moved);
      };
      tell(worker.process, 'shed', { servers, count, within: SHED_TIME });
    });
  }

  /** A worker takes connections from now on: where that is asked for, it gets its share of those there are. */
  evenSoon() {
    if (this.#cluster.settings.rebalance !== true || this.#scheduled !== undefined) return;
    this.#scheduled = setTimeout(async () => {
      // One that is under way may have counted without the new worker.
      await this.#rebalancing;
      this.#scheduled = undefined;
      this.rebalance();
    }, SETTLE).unref();
  }

  /** See `stopListening` of internals.js. */
  async stopListening({ within, patience }, isOver) {
    const dispatcher = this.#dispatcher();
    if (dispatcher === undefined) return;
    this.#stopping = true;
    dispatcher.stopListening();
    const began = performance.now();
    let [left, changed] = [dispatcher.untaken(), began];
    while (left > 0 && !isOver()) {
      const now = performance.now();
      if (now - began >= within || now - changed >= patience) break;
      await sleep(LOOK);
      const rest = dispatcher.untaken();
      if (rest < left) changed = performance.now();
      left = rest;
    }
    // Not before: closing them would refuse who still waits.
    this.#servers.end();
    this.#stopping = false;
  }

  /** Lets a worker go. @param {{ idle: string, moves: boolean } | undefined} order what becomes of its connections */
  #dismiss(worker, order) {
    // When everything stops, what it has not taken is better taken than given to another that stops.
    if (order?.idle !== 'close') this.#retire(worker);
    if (order !== undefined) this.#order(worker, order);
    if (this.#leaving.has(worker)) return;
    this.#leaving.add(worker);
    Reflect.apply(this.#disconnect, worker, []);
  }

  /** No new connection for a worker, which goes on with those it has. */
  #retire(worker) {
    const seat = this.#seatOf(worker);
    if (seat === undefined) return;
    // Before its sockets close, so that the last worker's connections are not given back to it.
    this.#dispatcher().retireWorker(seat.id);
    this.#servers.leaveAll(worker);
  }

  #order(worker, { idle, moves }) {
    if (idle === 'close' || this.#leavingAll || !this.#hasOthers(worker)) {
      tell(worker.process, 'drain', { servers: [], idle: 'close' });
      return;
    }
    const servers = moves ? this.#servers.taking().map(({ number }) => number) : [];
    tell(worker.process, 'drain', { servers, idle });
  }

  /** Whether others will serve the clients that this worker leaves behind. */
  #hasOthers(worker) {
    const workers = Object.values(this.#cluster.workers);
    return workers.some((other) => other !== worker && !this.#leaving.has(other) && other.isConnected());
  }

  #loadOf(worker, moved = 0) {
    const load = this.#dispatcher()
      ?.connections()
      .find(({ id }) => id === worker.id);
    return load ?? { moved };
  }
}

module.exports = { Handover };
