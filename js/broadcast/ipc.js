'use strict';
/**
 * The broadcast without shared memory, as the hub uses it. In a worker each object of this environment has a stand-in in
 * the primary, which sends and listens for it, and each object of a thread one in the main thread of its process; a process
 * of its own keeps its messages to itself.
 */
const cluster = require('node:cluster');
const { isMainThread } = require('node:worker_threads');
const { toMainThread } = require('../threads.js');
const { envelope, handle, TOPIC } = require('./ipc-messages.js');
const { noteArrival } = require('./words.js');

/** What this environment alone shares: delivered in a turn of its own, in order. */
class Local {
  #receive;
  #ids = new Map();
  /** number -> name, of the channels that are open. */
  names = new Map();
  #lastId = 0;
  #listened = new Set();
  #pending = [];

  constructor(receive) {
    this.#receive = receive;
  }

  channel(name) {
    if (!this.#ids.has(name)) {
      this.#ids.set(name, ++this.#lastId);
      this.names.set(this.#lastId, name);
    }
    return this.#ids.get(name);
  }

  /** Nobody has this channel open any more. */
  forget(channel) {
    this.#ids.delete(this.names.get(channel));
    this.names.delete(channel);
  }

  listen(channel, objects) {
    if (objects > 0) this.#listened.add(channel);
    else this.#listened.delete(channel);
    return true;
  }

  setMaxLag() {}
  waitForRoom() {}

  keepAlive(alive) {
    clearInterval(this.timer);
    // A long timer stands for the open channel.
    this.timer = alive ? setInterval(() => {}, 2 ** 30) : undefined;
  }

  /** Sends a message whole. @returns {number} 0: sent, as by the ring's */
  post(channel, object, { kind, buffer, start, length }) {
    return this.publish(channel, object, kind, buffer.subarray(start, start + length));
  }

  publish(channel, object, kind, bytes) {
    if (!this.#listened.has(channel)) return 0;
    if (this.#pending.length === 0) setImmediate(() => this.#deliver());
    this.#pending.push([channel, kind, object, Buffer.from(bytes), 0, bytes.length]);
    return 0;
  }

  #deliver() {
    const list = this.#pending;
    this.#pending = [];
    noteArrival();
    for (const message of list) this.#receive.message(...message);
  }
}

/** Through the primary, which puts all messages in one order; a thread goes through its main thread. */
class Remote extends Local {
  #send;

  /** @param {(receive: (message: object) => void) => (message: object) => void} link gives what sends */
  constructor(receive, link) {
    super(receive);
    const message = ({ channel, kind, object, data }) => {
      const bytes = Buffer.from(data, 'base64');
      noteArrival();
      receive.message(channel, kind, object, bytes, 0, bytes.length);
    };
    const missed = ({ channel, count }) => receive.missed(channel, count);
    this.#send = link(handle({ message, missed }));
  }

  forget(channel) {
    super.forget(channel);
    this.#tell('forget', { channel });
  }

  listen(channel, objects) {
    this.#tell('listen', { channel, name: this.names.get(channel), on: objects > 0 });
    return true;
  }

  publish(channel, object, kind, bytes) {
    const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
    this.#tell('publish', { channel, name: this.names.get(channel), object, kind, data });
    return 0;
  }

  #tell(act, body) {
    this.#send(envelope(act, body));
  }
}

function toPrimary(receive) {
  process.on('internalMessage', receive);
  return (message) => {
    // One whose primary is gone has nobody left to tell.
    if (process.connected) process.send(message, () => {});
  };
}

const toMain = (receive) => toMainThread(TOPIC, receive).send;

/** @param {object} receive the hub's callbacks */
function connect(receive) {
  if (!isMainThread) return new Remote(receive, toMain);
  return cluster.isWorker ? new Remote(receive, toPrimary) : new Local(receive);
}

module.exports = { connect };
