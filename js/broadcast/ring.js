'use strict';
/** The ring as the hub uses it: reads batches of what has come and hands each message over. */
const { fromNative } = require('../errors.js');

/** Of a batch's entries, see src/broadcast/batch.rs. */
const [LARGE, MISSED, OWN] = [1 << 8, 1 << 9, 1 << 10];
const HEADER = 16;
const BATCH = 256 * 1024;
/** How long an event loop is kept from other work by what has come, in milliseconds. */
const BUDGET = 5;

/**
 * Of the messages sent in one turn of the loop the first wakes those who sleep; then each so many-th does, or the first
 * after so many milliseconds; and the end of the turn.
 */
const [WAKE_EVERY, WAKE_AFTER] = [32, 0.05];

const batch = Buffer.allocUnsafeSlow(BATCH);
const words = new Uint32Array(batch.buffer);
const counts = new BigUint64Array(batch.buffer);

class Ring {
  #native;
  #receive;
  #scheduled = false;
  #provided = false;
  #sinceWake = 0;
  #wokeAt = 0;
  #endsTurn = false;
  #endTurn = () => {
    this.#endsTurn = false;
    this.#sinceWake = 0;
    this.#native.wakeReaders();
  };

  /**
   * @param {{ native: object, seat?: string, size: number }} transport
   * @param {{ message: Function, missed: Function, room: Function }} receive
   */
  constructor({ native, seat, size }, receive) {
    this.#receive = receive;
    this.#native = native.Broadcast.open(seat, size, () => this.#wake());
  }

  channel(name) {
    return this.#native.channel(name);
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
    this.#native.waitForRoom(waits);
  }

  /** @returns {number} 0: sent, -1: full, -2: busy, else bytes sent so far */
  publish(channel, object, kind, buffer, length, from, whole) {
    if (!this.#provided) this.#provide();
    return this.#native.publish(channel, object, kind, buffer, length, from, whole, this.#wakes());
  }

  #wakes() {
    const now = performance.now();
    if (!this.#endsTurn) {
      this.#endsTurn = true;
      setImmediate(this.#endTurn);
    } else if (++this.#sinceWake < WAKE_EVERY && now - this.#wokeAt < WAKE_AFTER) {
      return false;
    }
    this.#sinceWake = 0;
    this.#wokeAt = now;
    return true;
  }

  #provide() {
    const failure = this.#native.provideMemory();
    if (failure) throw fromNative(failure);
    this.#provided = true;
  }

  #wake() {
    this.#receive.room();
    if (!this.#scheduled) this.#drain();
  }

  #drain() {
    const end = performance.now() + BUDGET;
    for (;;) {
      const answer = this.#native.read(batch);
      const progress = answer & 3;
      this.#dispatch(answer >>> 2);
      // Others' turn: what is left waits in the ring.
      if (progress === 2) return this.#schedule(setTimeout, 1);
      if (progress === 0) {
        // More often follows soon: to look once more costs less than to be woken, for the sender above all.
        if (answer >>> 2 > 0) return this.#schedule(setImmediate);
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
        this.#drain();
      },
      ...args,
    );
  }

  #dispatch(end) {
    let own;
    for (let at = 0; at < end; ) {
      const word = at >> 2;
      const channel = words[word];
      const flags = words[word + 1];
      const object = words[word + 2];
      const length = words[word + 3];
      const start = at + HEADER;
      if (flags < LARGE) {
        at = start + ((length + 7) & ~7);
        this.#receive.message(channel, flags, object, batch, start, start + length);
      } else if (flags & LARGE) {
        at = start;
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
  }
}

module.exports = { Ring };
