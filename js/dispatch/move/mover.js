'use strict';
/**
 * Passes idle connections on to other workers: all of them while the worker drains, a number of them when they are
 * evened out. One synchronous turn checks a connection, sends its descriptor to the primary and closes the worker's own,
 * so that no byte can be read in between; what lies in the kernel goes along.
 */
const diagnostics = require('node:diagnostics_channel');
const { Adopted } = require('./adopted.js');
const { activeOf, idleTime, isIdle, isMovable, kHome, socketsOf } = require('./idle.js');

/** How long connections are moved before requests get their turn, in milliseconds. */
const SLICE = 8;
/** How often what was not idle is looked at again, in milliseconds. */
const TICK = 50;
const FINISH = 'http.server.response.finish';

/**
 * What is to be moved: connections of servers with these numbers, so many of them; `done` hears at the end how many are left.
 * @typedef {{ servers: Set<number>, left: number, done: (left: number) => void }} Task
 */

class Mover {
  /** number -> { number, server, moves }: servers that connections have come to and that still have some */
  #homes = new Map();
  #channel;
  #counted;
  /** @type {Task | undefined} */
  #task;
  #answered = new Set();
  #flushing = false;
  #sweeping = false;
  #timer;
  #onFinish = ({ socket }) => this.#queue(socket);

  /**
   * @param {object} channel the worker's
   * @param {(handle: object) => void} counted called before a handle that has left is closed: it is counted already
   */
  constructor(channel, counted) {
    this.#channel = channel;
    this.#counted = counted;
    this.adopted = new Adopted((socket) => this.#hop(socket));
  }

  /** A server takes connections. @param {{ number: number, server: object, moves: boolean }} home */
  open(home) {
    this.#homes.set(home.number, home);
    home.server.once('close', () => this.#homes.delete(home.number));
  }

  /** Whether a connection will be moved by the task at hand, now or once it is idle. */
  willMove(socket) {
    return isMovable(socket) && this.#task?.servers.has(socket._handle[kHome].number) === true;
  }

  /**
   * Begins to move connections: those that are idle at once, others when their answer has left.
   * @param {{ servers: number[], count?: number }} task `count`: how many; default all, for as long as the worker lives
   * @param {object} [hear] `swept({ seen, idle, moved })`: connections the first sweep has looked at, those of them that
   *   were idle when it began, and those it has moved; in this very turn when they are few. `done(left)`: how many of `count` were not moved in the end
   */
  start({ servers, count = Number.POSITIVE_INFINITY }, { swept = () => {}, done = () => {} } = {}) {
    this.stop();
    this.#task = { servers: new Set(servers), left: count, done };
    diagnostics.subscribe(FINISH, this.#onFinish);
    this.#timer = setInterval(() => this.#tick(), TICK).unref();
    this.#sweep(swept, true);
  }

  /**
   * Moves so many connections, and stops.
   * @param {{ servers: number[], count: number }} task
   * @param {number} within milliseconds after which it gives up
   * @returns {Promise<number>} how many were moved
   */
  move({ servers, count }, within) {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.stop(), within);
      const done = (left) => {
        clearTimeout(timer);
        resolve(count - left);
      };
      this.start({ servers, count }, { done });
    });
  }

  /** Moves no more. */
  stop() {
    const task = this.#task;
    this.#task = undefined;
    diagnostics.unsubscribe(FINISH, this.#onFinish);
    clearInterval(this.#timer);
    task?.done(task.left);
  }

  /** How many connections the task at hand still wants moved; 0 without one. */
  get left() {
    return this.#task?.left ?? 0;
  }

  /** Every connection of the servers in question is looked at once, in slices. */
  #sweep(swept, first = false) {
    this.#sweeping = true;
    const sockets = [...this.#homes.values()]
      .filter(({ number }) => this.#task.servers.has(number))
      .flatMap(({ server }) => socketsOf(server));
    const idle = (turn) => sockets.filter((socket) => this.willMove(socket) && turn.isIdle(socket)).length;
    const found = { seen: sockets.length, idle: first ? idle(new Turn()) : 0, moved: 0 };
    let next = 0;
    const slice = () => {
      const end = performance.now() + SLICE;
      const turn = new Turn();
      while (next < sockets.length && this.left > 0) {
        if (performance.now() > end) return setImmediate(slice);
        const socket = sockets[next];
        if (this.willMove(socket) && turn.isIdle(socket)) {
          // The channel is full: the primary empties it meanwhile.
          if (!this.#pass(socket)) return setTimeout(slice, 1);
          found.moved += 1;
        }
        next += 1;
      }
      this.#sweeping = false;
      swept(found);
    };
    slice();
  }

  #tick() {
    if (!this.#sweeping && this.left > 0) this.#sweep(() => {});
  }

  #queue(socket) {
    this.#answered.add(socket);
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.#flush());
  }

  /** Looks at the connections whose answers have just left. */
  #flush() {
    this.#flushing = false;
    const turn = new Turn();
    for (const socket of this.#answered) {
      if (this.left > 0 && this.willMove(socket) && turn.isIdle(socket)) this.#pass(socket);
    }
    this.#answered.clear();
  }

  /** A connection changes its place without a task: it has been silent here for so long that Node would end it. */
  #hop(socket) {
    if (!isMovable(socket) || !socket.server.listening || !new Turn().isIdle(socket)) return false;
    return this.#send(socket);
  }

  #pass(socket) {
    if (!this.#send(socket)) return false;
    this.#task.left -= 1;
    if (this.#task.left === 0) this.stop();
    return true;
  }

  /** Passes an idle connection on. @returns {boolean} false when the channel is full */
  #send(socket) {
    const { _handle: handle } = socket;
    const idle = socket.bytesRead === 0 ? this.adopted.idleTime(socket) : idleTime(socket);
    if (!this.#channel.passOn(handle.fd, handle[kHome].number, idle)) return false;
    this.#counted(handle);
    // Closes this process's descriptor and says nothing to the client: there is another descriptor now.
    socket.destroy();
    return true;
  }
}

/** What holds for one turn of the loop: which parsers are at work. */
class Turn {
  #active = new Map();

  isIdle(socket) {
    const { server } = socket;
    let active = this.#active.get(server);
    if (active === undefined) {
      active = activeOf(server);
      this.#active.set(server, active);
    }
    return isIdle(socket, active);
  }
}

module.exports = { Mover };
