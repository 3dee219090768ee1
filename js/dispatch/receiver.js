'use strict';
/**
 * Takes connections from the channel and hands each to the server it is for, just as net would have accepted it.
 */
const { kHome } = require('./move/idle.js');
const { Mover } = require('./move/mover.js');
const { SOCKET, tcpClass } = require('./tcp.js');

/** Instead of a descriptor, see `Channel.watch`. */
const FULL = -1;
const CLOSED = -3;
/** How long a worker without room for another descriptor waits before it looks again, in milliseconds. */
const FULL_DELAY = 10;
/** Since Node 21 a maxConnections of 0 means none, before it meant no limit. */
const ZERO_IS_A_LIMIT = Number(process.versions.node.split('.')[0]) > 20;

const kClosed = Symbol('closed');

class Receiver {
  /** number -> { handle, accept, server, home } */
  #servers = new Map();
  #channel;
  #native;
  #TCP;
  #close;
  #reset;

  /** @param {object} native the addon @param {object} channel @param {'uv' | 'thread'} transport */
  constructor(native, channel, transport) {
    this.#native = native;
    this.#channel = channel;
    this.#TCP = tcpClass(native);
    this.#prepareCounting();
    this.mover = new Mover(channel, (handle) => {
      handle[kClosed] = true;
    });
    this.transport = transport === 'uv' && this.#watch() ? 'uv' : this.#watchFromThread();
  }

  /** @returns {object[]} this worker's line of what `cluster.connections()` tells in the primary */
  connections() {
    return [this.#channel.load()];
  }

  /**
   * A server listens: its handle gets the connections for `number` until it is closed.
   * @param {number} number of the listening socket, as the primary knows it
   * @param {object} handle the server's: one that only looks like a socket or, under `kernel`, a real one
   * @param {object} server of net
   * @param {boolean} moves whether its connections may be moved to other workers
   */
  serve(number, handle, server, moves) {
    const accept = handle.onconnection;
    const home = { number, server, moves };
    this.#servers.set(number, { handle, accept, server, home });
    this.mover.open(home);
    // What a real socket accepts by itself counts like the rest.
    handle.onconnection = (errno, client) => {
      if (client) {
        this.#channel.opened();
        this.#own(client, home);
      }
      return Reflect.apply(accept, handle, [errno, client]);
    };
    const { close } = handle;
    handle.close = (...args) => {
      if (this.#servers.get(number)?.handle === handle) {
        this.#servers.delete(number);
        this.#channel.leave(number);
      }
      return Reflect.apply(close, handle, args);
    };
    this.#channel.ready(number);
  }

  #watch() {
    return this.#channel.watch((fd, number, idle) => this.#receive(fd, number, idle));
  }

  #watchFromThread() {
    this.#channel.watchFromThread(() => {
      const [fd, number, idle] = this.#channel.take();
      // One at a time: what is not taken can still go to another worker. resume() wakes again if there is more.
      if (fd !== CLOSED && fd !== FULL) this.#channel.resume();
      this.#receive(fd, number, idle);
    });
    return 'thread';
  }

  #receive(fd, number, idle) {
    if (fd >= 0) this.#accept(fd, number, idle);
    else if (fd === FULL) this.#rest();
    else if (fd === CLOSED) this.#channel.close();
  }

  #rest() {
    this.#channel.pause();
    setTimeout(() => this.#channel.resume(), FULL_DELAY).unref();
  }

  #accept(fd, number, idle) {
    const target = this.#servers.get(number);
    if (target === undefined || isFull(target.server)) {
      this.#channel.giveBack(fd, number);
      return;
    }
    const handle = new this.#TCP(SOCKET);
    const errno = handle.open(fd);
    if (errno !== 0) {
      this.#native.closeDescriptor(fd);
      this.#channel.closed();
      return;
    }
    this.#own(handle, target.home);
    Reflect.apply(target.accept, target.handle, [0, handle]);
    this.mover.adopted.take(handle, idle);
  }

  #own(handle, home) {
    handle[kHome] = home;
    handle.close = this.#close;
    handle.reset = this.#reset;
  }

  /** Every way a connection ends leads through its handle's close() or reset(). */
  #prepareCounting() {
    const channel = this.#channel;
    const { close, reset } = this.#TCP.prototype;
    const counted = (method) =>
      function closeHandle(...args) {
        if (this[kClosed] === undefined) {
          this[kClosed] = true;
          channel.closed();
        }
        return Reflect.apply(method, this, args);
      };
    this.#close = counted(close);
    this.#reset = counted(reset);
  }
}

/** Such a worker's connections go to another, as in node:cluster, unless it asks to drop them itself. */
function isFull({ maxConnections, _connections, dropMaxConnection }) {
  const limited = ZERO_IS_A_LIMIT ? maxConnections !== undefined && maxConnections !== null : Boolean(maxConnections);
  return limited && _connections >= maxConnections && !dropMaxConnection;
}

module.exports = { Receiver };
