'use strict';
/**
 * Takes connections from the channel and hands each to the server it is for, just as net would have accepted it.
 */
const net = require('node:net');
const { greet } = require('./greet.js');
const { kHome, ownerOf } = require('./move/idle.js');
const { Mover } = require('./move/mover.js');
const { SOCKET, tcpClass } = require('./tcp.js');

/** Instead of a descriptor, see `Channel.watch`. */
const FULL = -1;
const CLOSED = -3;
/** How long a worker without room for another descriptor waits before it looks again, in milliseconds. */
const FULL_DELAY = 10;
/** What Node calls, by its symbol's description, when a socket goes to another thread. */
const TRANSFER = 'messaging_transfer_symbol';
/** Since Node 21 a maxConnections of 0 means none, before it meant no limit. */
const ZERO_IS_A_LIMIT = Number(process.versions.node.split('.')[0]) > 20;

class Receiver {
  /** number -> { handle, accept, server, home } */
  #servers = new Map();
  #channel;
  #native;
  #TCP;

  /** @param {object} native the addon @param {object} channel @param {'uv' | 'thread'} transport */
  constructor(native, channel, transport) {
    this.#native = native;
    this.#channel = channel;
    this.#TCP = tcpClass(native);
    countCloses(this.#TCP, counterOf(channel), marksOf(channel), channel);
    this.mover = new Mover(channel, (handle) => {
      handle[kHome] = undefined;
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
        client[kHome] = home;
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
    handle[kHome] = target.home;
    greet(target.server, target.handle, target.accept, handle);
    this.mover.adopted.take(handle, idle);
  }
}

/** @returns {() => void} counts one open connection less, in the memory shared with the primary */
function counterOf(channel) {
  const memory = channel.active();
  if (memory === null) return () => channel.closed();
  const active = new Int32Array(memory);
  return () => {
    // Never below nought: a miscount must not make a worker look full.
    if (Atomics.sub(active, 0, 1) <= 0) Atomics.add(active, 0, 1);
  };
}

/** @returns {Uint32Array} which connections are kept, see `Channel.marks` */
function marksOf(channel) {
  const memory = channel.marks();
  return memory === null ? new Uint32Array(1) : new Uint32Array(memory);
}

/**
 * Every way a connection ends leads through its handle's close() or reset(), or it leaves this loop for that of a worker
 * thread. All are changed for the whole class, since properties of its own would make each handle a slower object; a
 * handle without a home is none of ours, or counted.
 */
function countCloses({ prototype }, count, marks, channel) {
  const leave = (handle) => {
    if (handle[kHome] === undefined) return;
    handle[kHome] = undefined;
    count();
    const { fd } = handle;
    const place = fd & (marks.length - 1);
    // A copy is kept of it, for the case that this worker dies: its client would not see the end at once.
    if (marks[place] !== 0) {
      if (ownerOf(handle)?.writableFinished === true) marks[place] = 0;
      else channel.release(fd);
    } else if (handle.bytesRead === 0 && fd >= 0) {
      channel.untouched(fd);
    }
  };
  for (const name of ['close', 'reset']) {
    const method = prototype[name];
    prototype[name] = function countedClose(callback) {
      leave(this);
      return method.call(this, callback);
    };
  }
  // Since Node 24 a socket may be in the list of what postMessage() transfers.
  const { prototype: sockets } = net.Socket;
  const transfer = Object.getOwnPropertySymbols(sockets).find(({ description }) => description === TRANSFER);
  if (transfer === undefined) return;
  const method = sockets[transfer];
  sockets[transfer] = function countedTransfer(...args) {
    const { _handle: handle } = this;
    const transferred = Reflect.apply(method, this, args);
    if (handle) leave(handle);
    return transferred;
  };
}

/** Such a worker's connections go to another, as in node:cluster, unless it asks to drop them itself. */
function isFull({ maxConnections, _connections, dropMaxConnection }) {
  const limited = ZERO_IS_A_LIMIT ? maxConnections !== undefined && maxConnections !== null : Boolean(maxConnections);
  return limited && _connections >= maxConnections && !dropMaxConnection;
}

module.exports = { Receiver };
