'use strict';
/** The ring as the hub uses it: reads batches of what has come and hands each message over. */
const { fromNative } = require('../errors.js');
const { scratch } = require('../plain.js');
const { JSON_ASCII } = require('./codec.js').Kind;
const { acquaint } = require('./acquaint.js');
const { litter } = require('./litter.js');
const { bytes, order } = require('./words.js');

/** Of a batch's entries, see src/broadcast/batch.rs. */
const [LARGE, MISSED, OWN, RUN] = [1 << 8, 1 << 9, 1 << 10, 1 << 11];
const HEADER = 16;
/** How a read went, beside the bytes: nothing is left, the lock is needed, nothing is left and we count as asleep. */
const [DONE, AGAIN, RESTS] = [0, 2, 3];
const BATCH = 256 * 1024;
/** How long an event loop is kept from other work by what has come, in milliseconds. */
const BUDGET = 5;

const batch = Buffer.allocUnsafeSlow(BATCH);
const words = new Uint32Array(batch.buffer);
const counts = new BigUint64Array(batch.buffer);

/** The state of an order nobody has looked at: the environment is ending. */
const [ORDERED, FULL] = [1, -1];

class Ring {
  #native;
  #send;
  #sendOf;
  #receive;
  #scheduled = false;
  #provided = false;
  #waits = false;

  /**
   * @param {{ native: object, seat?: string, size: number }} transport
   * @param {{ message: Function, missed: Function, room: Function }} receive
   */
  constructor({ native, seat, size }, receive) {
    this.#receive = receive;
    const wake = (answer, kind, channel, object, text) => {
      // One short message, and nothing behind it: what most often comes to who was asleep, so nothing else is touched.
      if (kind === 0 || this.#waits || !handOver(receive, kind, channel, object, text)) this.#wake(answer);
    };
    this.#native = native.Broadcast.open(seat, size, scratch, bytes, batch, wake);
    this.#send = native.sendBroadcast;
    this.#sendOf = native.sendBroadcastOf;
    // Nothing has been ordered.
    acquaint((buffer) => this.#carryOut(buffer), [scratch, Buffer.alloc(0)]);
  }

  /** Bytes it holds. */
  get size() {
    return this.#native.size;
  }

  channel(name) {
    return this.#native.channel(name);
  }

  /** Nobody has this channel open any more: its number may be given to another. Not from within a delivery. */
  forget(channel) {
    this.#native.forget(channel);
  }

  listen(channel, objects, sole) {
    if (!this.#native.listen(channel, objects, sole)) return false;
    // Whoever sends from here on knows that this environment sleeps.
    if (this.#native.rest() && !this.#scheduled) this.#schedule(setImmediate);
    return true;
  }

  setMaxLag(milliseconds) {
    this.#native.setMaxLag(milliseconds);
  }

  keepAlive(alive) {
    this.#native.keepAlive(alive);
  }

  waitForRoom(waits) {
    this.#waits = waits;
    this.#native.waitForRoom(waits);
  }

  /** Sends a message whole. @returns {number} 0: sent, -1: full, -2: busy */
  post(channel, object, { kind, buffer, start, length }) {
    if (!this.#provided) this.#provide();
    order[1] = channel;
    order[2] = object;
    order[3] = kind;
    order[4] = start;
    order[5] = length;
    order[0] = ORDERED;
    this.#carryOut(buffer);
    return order[0] === ORDERED ? FULL : order[0];
  }

  #carryOut(buffer) {
    if (buffer === scratch) this.#send();
    else this.#sendOf(buffer);
  }

  /** Sends what there is room for of `bytes`. @returns {number} as `post`, and else the bytes sent so far */
  publish(channel, object, kind, bytes, from) {
    if (!this.#provided) this.#provide();
    return this.#native.publish(channel, object, kind, bytes, from);
  }

  #provide() {
    const failure = this.#native.provideMemory();
    if (failure) throw fromNative(failure);
    this.#provided = true;
  }

  #wake(answer) {
    if (this.#waits) this.#receive.room();
    // What is left in the ring then is read in the turn that has been asked for.
    if ((answer & 3) === RESTS || this.#scheduled) this.#dispatch(answer >>> 2);
    else this.#drain(answer);
  }

  /** @param {number} first what the native `read()` has answered */
  #drain(first) {
    const end = performance.now() + BUDGET;
    for (let answer = first; ; answer = this.#native.read()) {
      const progress = answer & 3;
      const count = this.#dispatch(answer >>> 2);
      if (progress === RESTS) return undefined;
      // Others' turn: what is left waits in the ring.
      if (progress === AGAIN) return this.#schedule(setTimeout, 1);
      if (progress === DONE) {
        // After several more often follows soon: to look once more costs less than to be woken, for the sender above all.
        if (count > 1) return this.#schedule(setImmediate);
        if (!this.#native.rest()) return undefined;
      }
      if (performance.now() >= end) return this.#schedule(setImmediate);
    }
  }

  #schedule(later, ...args) {
    this.#scheduled = true;
    later(
      () => {
        this.#scheduled = false;
        this.#drain(this.#native.read());
      },
      ...args,
    );
  }

  /** @returns {number} of entries */
  #dispatch(end) {
    let own;
    let count = 0;
    for (let at = 0; at < end; ) {
      const word = at >> 2;
      const channel = words[word];
      const flags = words[word + 1];
      const object = words[word + 2];
      const length = words[word + 3];
      const start = at + HEADER;
      count++;
      if (flags < LARGE) {
        at = start + ((length + 7) & ~7);
        this.#receive.message(channel, flags, object, batch, start, start + length);
      } else if (flags & RUN) {
        at = (start + length + 7) & ~7;
        this.#dispatchRun(channel, flags & (LARGE - 1), object, start, start + length, at >> 2);
        at += 8 * object;
        count += object - 1;
      } else if (flags & LARGE) {
        at = start;
        litter(length);
        const payload = this.#native.takeLarge();
        this.#receive.message(channel, flags & (LARGE - 1), object, payload, 0, length);
      } else {
        at = start + 8;
        const count = Number(counts[start >> 3]);
        if (flags === OWN) {
          own ??= new Map();
          own.set(object, count);
        } else if (flags === MISSED) {
          this.#receive.missed(channel, count, own);
          own = undefined;
        }
      }
    }
    return count;
  }

  /** Messages of one channel as one array; behind it, from `table` on, stand the object and the length of each. */
  #dispatchRun(channel, kind, count, start, end, table) {
    const { message, value } = this.#receive;
    const values = count > 1 ? parse(batch.latin1Slice(start, end)) : [];
    // What is none of ours makes more or fewer of what it stands beside.
    const isWhole = values.length === count;
    for (let i = 0, from = start + 1; i < count; i++) {
      const object = words[table + 2 * i];
      const to = from + words[table + 2 * i + 1];
      if (!isWhole || !value(channel, object, values[i])) message(channel, kind, object, batch, from, to);
      from = to + 1;
    }
  }
}

/** @returns {boolean} false: it goes the way of all others, where it is no JSON or several want it */
function handOver(receive, kind, channel, object, text) {
  let value = text;
  if (kind === JSON_ASCII) {
    try {
      value = JSON.parse(text);
    } catch {
      return false;
    }
  }
  return receive.value(channel, object, value);
}

/** @returns {unknown[]} none when it is no JSON: each by itself tells which */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return [];
  }
}

module.exports = { Ring };
