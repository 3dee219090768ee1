'use strict';
/**
 * Many small messages as one job: packed into one buffer, hashed side by side in SIMD lanes, their digests returned in
 * one buffer. A crossing into Rust and back costs more than a small digest, so it is paid once for all of them.
 */
const { setImmediate } = require('node:timers');
const { abortError } = require('../errors.js');
const { run } = require('./jobs.js');

/** Up to this many bytes a message is copied into the batch; beyond, telling where it lies is cheaper. */
const PACK_BELOW = 512;
/** Stands in the list of lengths for a message that is not copied. */
const ELSEWHERE = 0xffffffff;
/** Digests whose hex is cut from one string: a digest then keeps at most these alive, not the whole batch's. */
const GROUP = 32;
/** The largest buffer kept for the next batch. */
const SPARE_BELOW = 4 * 1024 * 1024;

const NOWHERE = new Float64Array(0);

/** A buffer from an earlier batch: the pages of a fresh one would have to be faulted in, which costs more than to fill it. */
let spare;

function takeBuffer(bytes) {
  const buffer = spare?.length >= bytes ? spare : Buffer.allocUnsafeSlow(Math.max(bytes, 64 * 1024));
  spare = undefined;
  return buffer;
}

function giveBack(buffer) {
  if (buffer.length <= SPARE_BELOW && !(spare?.length >= buffer.length)) spare = buffer;
}

/** Messages on their way to one `hashMany` job. */
class Batch {
  #packed;
  #used = 0;
  #lengths;
  #count = 0;
  /** The ArrayBuffers of messages that are not copied, and for each of those messages: which, where in it, how long. */
  #buffers = [];
  #places = NOWHERE;
  #elsewhere = 0;

  /**
   * @param {number} bytes of small messages to make room for
   * @param {number} count of messages to make room for
   */
  constructor(bytes, count) {
    this.#packed = takeBuffer(bytes);
    this.#lengths = new Uint32Array(count);
  }

  /**
   * @param {string | Uint8Array} data a string, or an array of up to `PACK_BELOW` bytes, is copied now; what is larger is
   *   read later, and no memory that can shrink or that other threads may write
   * @returns {number} its index
   */
  add(data) {
    let length;
    if (typeof data === 'string') {
      // UTF-8 takes at most three bytes a UTF-16 unit.
      if (this.#used + data.length * 3 > this.#packed.length) this.#grow(data.length * 3);
      length = this.#packed.utf8Write(data, this.#used);
      this.#used += length;
    } else if (data.length <= PACK_BELOW) {
      length = data.length;
      if (this.#used + length > this.#packed.length) this.#grow(length);
      this.#packed.set(data, this.#used);
      this.#used += length;
    } else {
      length = ELSEWHERE;
      this.#refer(data);
    }
    if (this.#count === this.#lengths.length) this.#lengths = enlarged(this.#lengths);
    this.#lengths[this.#count] = length;
    this.#count += 1;
    return this.#count - 1;
  }

  /** Notes where `data` lies. Many Buffers share one ArrayBuffer: it need cross into Rust only once. */
  #refer({ buffer, byteOffset, length }) {
    if (buffer !== this.#buffers.at(-1)) this.#buffers.push(buffer);
    if (3 * this.#elsewhere === this.#places.length) this.#places = this.#morePlaces();
    const at = 3 * this.#elsewhere;
    this.#places[at] = this.#buffers.length - 1;
    this.#places[at + 1] = byteOffset;
    this.#places[at + 2] = length;
    this.#elsewhere += 1;
  }

  /** Room for all messages there will be, as far as that is known. */
  #morePlaces() {
    const places = new Float64Array(3 * Math.max(this.#lengths.length, 2 * this.#elsewhere));
    places.set(this.#places);
    return places;
  }

  #grow(length) {
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#packed.length, this.#used + length));
    grown.set(this.#packed.subarray(0, this.#used));
    this.#packed = grown;
  }

  /**
   * Sends the batch.
   * @param {string} algorithm
   * @param {boolean} asHex whether the digests are wanted in hex
   * @param {object} [options] of `run`
   * @returns {Promise<Digests>}
   */
  async hash(algorithm, asHex, options) {
    const messages = {
      packed: this.#packed.subarray(0, this.#used),
      lengths: this.#lengths.subarray(0, this.#count),
      places: this.#places.subarray(0, 3 * this.#elsewhere),
    };
    try {
      const start = (desk, id) => desk.hashMany(id, algorithm, messages, this.#buffers, asHex);
      return new Digests(await run(start, options), this.#count, asHex);
    } finally {
      giveBack(this.#packed);
    }
  }
}

function enlarged(lengths) {
  const grown = new Uint32Array(Math.max(16, 2 * lengths.length));
  grown.set(lengths);
  return grown;
}

/** The digests of a batch, by the index `add` gave. */
class Digests {
  #flat;
  #count;
  #size;
  #asHex;
  #text = [];

  constructor(flat, count, asHex) {
    this.#flat = flat;
    this.#count = count;
    this.#size = flat.length / Math.max(count, 1);
    this.#asHex = asHex;
  }

  /** @param {string} encoding @returns {(string | Buffer)[]} all of them, in order */
  all(encoding) {
    const count = this.#count;
    const list = new Array(count);
    if (!this.#asHex) {
      for (let i = 0; i < count; i++) list[i] = this.get(i, encoding);
      return list;
    }
    const [flat, size] = [this.#flat, this.#size];
    for (let first = 0; first < count; first += GROUP) {
      const end = Math.min(first + GROUP, count);
      const text = flat.latin1Slice(first * size, end * size);
      for (let i = first, at = 0; i < end; i++, at += size) list[i] = text.slice(at, at + size);
    }
    return list;
  }

  get(index, encoding) {
    if (this.#asHex) return this.#cut(index);
    const digest = this.#flat.subarray(index * this.#size, (index + 1) * this.#size);
    // A copy of its own: a view would keep the whole batch's memory alive.
    return encoding === 'buffer' ? Buffer.from(digest) : digest.toString(encoding);
  }

  /** Cutting a string is several times cheaper than making one. */
  #cut(index) {
    const group = Math.floor(index / GROUP);
    const bytes = GROUP * this.#size;
    this.#text[group] ??= this.#flat.latin1Slice(group * bytes, Math.min((group + 1) * bytes, this.#flat.length));
    const start = (index % GROUP) * this.#size;
    return this.#text[group].slice(start, start + this.#size);
  }
}

/** algorithm -> the calls of this turn of the event loop. */
const turn = new Map();

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
    calls = openTurn(algorithm);
    turn.set(algorithm, calls);
  }
  const index = calls.batch.add(data);
  calls.asHex &&= encoding === 'hex';
  // One reaction a call on a promise they share: half the objects of a promise of its own with its two functions.
  const digest = calls.digests.then((digests) => digests.get(index, encoding));
  return signal === undefined ? digest : abortable(digest, signal);
}

/** A batch that is sent in the next turn of the event loop. */
function openTurn(algorithm) {
  const calls = { batch: new Batch(0, 16), asHex: true, digests: undefined };
  const sent = new Promise((resolve) => setImmediate(resolve));
  calls.digests = sent.then(() => {
    turn.delete(algorithm);
    return calls.batch.hash(algorithm, calls.asHex);
  });
  return calls;
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
