'use strict';
/**
 * Many small messages as one job: packed into one buffer, hashed side by side in SIMD lanes, their digests returned in
 * one buffer. A crossing into Rust and back costs more than a small digest, so it is paid once for all of them.
 */
const { setImmediate } = require('node:timers');
const { abortError } = require('../errors.js');
const { run } = require('./jobs.js');

/** Up to this many bytes a message is copied into the batch; beyond, a reference is cheaper. */
const PACK_BELOW = 4 * 1024;
/** Digests whose hex is made at once: a digest's string then keeps at most these alive, not the whole batch's. */
const HEX_GROUP = 32;

/** Messages on their way to one `hashMany` job. */
class Batch {
  #packed;
  #used = 0;
  #lengths = [];
  #large = [];
  /** Where in the job's answer each message's digest stands: packed ones count up, large ones down from -1. */
  #places = [];

  /** @param {number} [expected] bytes of small messages to make room for */
  constructor(expected = 8 * 1024) {
    this.#packed = Buffer.allocUnsafeSlow(expected);
  }

  /** Bytes of small messages so far. */
  get used() {
    return this.#used;
  }

  /** @param {string | Uint8Array} data copied now when small; a large array is read later @returns {number} its index */
  add(data) {
    if (typeof data === 'string') {
      // UTF-8 takes at most three bytes a UTF-16 unit.
      this.#reserve(data.length * 3);
      this.#pack(this.#packed.utf8Write(data, this.#used));
    } else if (data.length <= PACK_BELOW) {
      this.#reserve(data.length);
      this.#packed.set(data, this.#used);
      this.#pack(data.length);
    } else {
      this.#places.push(-1 - this.#large.length);
      this.#large.push(data);
    }
    return this.#places.length - 1;
  }

  #pack(length) {
    this.#places.push(this.#lengths.length);
    this.#lengths.push(length);
    this.#used += length;
  }

  #reserve(length) {
    if (this.#used + length <= this.#packed.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#packed.length, this.#used + length));
    grown.set(this.#packed.subarray(0, this.#used));
    this.#packed = grown;
  }

  /** @returns {Promise<Digests>} */
  async hash(algorithm, options) {
    const packed = this.#packed.subarray(0, this.#used);
    const lengths = Uint32Array.from(this.#lengths);
    const start = (desk, id) => desk.hashMany(id, algorithm, packed, lengths, this.#large);
    const flat = await run(start, options);
    const size = this.#places.length > 0 ? flat.length / this.#places.length : 0;
    return new Digests(flat, size, this.#lengths.length, this.#places);
  }
}

/** The digests of a batch, by the index `add` gave. */
class Digests {
  #flat;
  #size;
  #packed;
  #places;
  #hex = [];

  constructor(flat, size, packed, places) {
    this.#flat = flat;
    this.#size = size;
    this.#packed = packed;
    this.#places = places;
  }

  #position(index) {
    const place = this.#places[index];
    return place >= 0 ? place : this.#packed - 1 - place;
  }

  get(index, encoding) {
    const position = this.#position(index);
    if (encoding === 'hex') return this.#hexAt(position);
    const digest = this.#flat.subarray(position * this.#size, (position + 1) * this.#size);
    // A copy of its own: a view would keep the whole batch's memory alive.
    return encoding === 'buffer' ? Buffer.from(digest) : digest.toString(encoding);
  }

  /** Cutting a string is several times cheaper than making one, so hex is made for a group and cut. */
  #hexAt(position) {
    const group = Math.floor(position / HEX_GROUP);
    const bytes = HEX_GROUP * this.#size;
    this.#hex[group] ??= this.#flat.hexSlice(group * bytes, Math.min((group + 1) * bytes, this.#flat.length));
    const start = (position % HEX_GROUP) * 2 * this.#size;
    return this.#hex[group].slice(start, start + 2 * this.#size);
  }
}

/** algorithm -> the calls of this turn of the event loop. */
const turn = new Map();
/** What the last batch needed: the next one starts with as much, instead of growing there. */
let lastUsed;

/**
 * Hashes one small message, together with all others of this turn of the event loop.
 * @param {string} algorithm a name `hashAlgorithm` gives
 * @param {string | Uint8Array} data copied now
 * @param {string} encoding
 * @param {AbortSignal} [signal]
 * @returns {Promise<string | Buffer>}
 */
function hashSmall(algorithm, data, encoding, signal) {
  if (signal?.aborted) return Promise.reject(abortError(signal));
  let calls = turn.get(algorithm);
  if (calls === undefined) {
    calls = openBatch(algorithm);
    turn.set(algorithm, calls);
  }
  const index = calls.batch.add(data);
  // One reaction a call on a promise they share: half the objects of a promise of its own with its two functions.
  const digest = calls.digests.then((digests) => digests.get(index, encoding));
  return signal === undefined ? digest : abortable(digest, signal);
}

/** A batch that is sent in the next turn of the event loop. */
function openBatch(algorithm) {
  const batch = new Batch(lastUsed);
  const sent = new Promise((resolve) => setImmediate(resolve));
  const digests = sent.then(() => {
    turn.delete(algorithm);
    lastUsed = Math.min(batch.used + 1024, 1 << 20);
    return batch.hash(algorithm);
  });
  return { batch, digests };
}

/** Lets go of one call of a batch; the batch belongs to others too, so it goes on. */
function abortable(promise, signal) {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    const finish = (settle) => (value) => {
      signal.removeEventListener('abort', onAbort);
      settle(value);
    };
    promise.then(finish(resolve), finish(reject));
  });
}

module.exports = { Batch, PACK_BELOW, hashSmall };
