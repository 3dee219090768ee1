'use strict';
/**
 * Many small messages as one job: packed into one buffer, hashed side by side in SIMD lanes, their digests returned in
 * one buffer. A crossing into Rust and back costs more than a small digest, so it is paid once for all of them.
 */
const { types } = require('node:util');
const { bytes } = require('../options.js');
const { run } = require('./jobs.js');

/** Up to this many bytes a message is copied into the batch; beyond, telling where it lies is cheaper. */
const PACK_BELOW = 512;
/** Stands in the list of lengths for a message that is not copied. */
const ELSEWHERE = 0xffffffff;
/** Digests whose hex is cut from one string: a digest then keeps at most these alive, not the whole batch's. */
const GROUP = 32;
/** Bytes in a digest, by the name the addon uses. */
const DIGEST_BYTES = { sha224: 28, sha256: 32, sha384: 48, sha512: 64 };
/** What a batch is made with, and the most it may have grown to and still be used again: bytes, and messages. */
const [ROOM, MOST_ROOM] = [64 * 1024, 4 * 1024 * 1024];
const [COUNT, MOST_COUNT] = [1024, 64 * 1024];

/** What a batch copies at once needs none of the checks for memory that is read later. */
const isSmall = (data) => types.isUint8Array(data) && data.length > 0 && data.length <= PACK_BELOW;

/** Messages on their way to one `hashMany` job, and the room for their digests. */
class Batch {
  #packed = Buffer.allocUnsafeSlow(ROOM);
  #used = 0;
  #lengths = new Uint32Array(COUNT);
  #count = 0;
  /** The ArrayBuffers of messages that are not copied, and for each of those messages: which, where in it, how long. */
  #buffers = [];
  #places = new Float64Array(0);
  #elsewhere = 0;
  #digests = Buffer.allocUnsafeSlow(0);

  /**
   * @param {string | Uint8Array} data a string, or an array of up to `PACK_BELOW` bytes, is copied now; what is larger is
   *   read later, and no memory that can shrink or that other threads may write
   * @returns {number} its index
   */
  add(data) {
    if (typeof data === 'string') this.#write(data);
    else if (data.length <= PACK_BELOW) this.#copy(data);
    else this.#refer(data.buffer, data.byteOffset, data.length);
    return this.#count - 1;
  }

  /**
   * @param {unknown[]} list of messages as `hashMany` takes them; the small ones are copied now
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE naming the message that is none
   */
  addAll(list) {
    // Buffers are often cut from one ArrayBuffer: what was checked of it for one holds for its neighbours.
    let checked;
    for (let i = 0; i < list.length; i++) {
      const message = list[i];
      if (isSmall(message)) {
        this.#copy(message);
        continue;
      }
      // Of a detached array the length is 0.
      if (types.isUint8Array(message) && message.length > 0) {
        // Asked for once: it takes as long as to hash some bytes.
        const { buffer } = message;
        // A SharedArrayBuffer has no such property.
        if (buffer === checked || buffer.resizable === false) {
          checked = buffer;
          this.#refer(buffer, message.byteOffset, message.length);
          continue;
        }
      }
      this.add(typeof message === 'string' ? message : bytes(`list[${i}]`, message));
    }
  }

  #write(text) {
    // UTF-8 takes at most three bytes a UTF-16 unit.
    if (this.#used + text.length * 3 > this.#packed.length) this.#grow(text.length * 3);
    const length = this.#packed.utf8Write(text, this.#used);
    this.#used += length;
    this.#note(length);
  }

  #copy(data) {
    const { length } = data;
    if (this.#used + length > this.#packed.length) this.#grow(length);
    this.#packed.set(data, this.#used);
    this.#used += length;
    this.#note(length);
  }

  /** Notes where a message lies. Many Buffers share one ArrayBuffer: it need cross into Rust only once. */
  #refer(buffer, start, length) {
    const at = 3 * this.#elsewhere;
    if (at === 0 || buffer !== this.#buffers[this.#buffers.length - 1]) this.#buffers.push(buffer);
    if (at === this.#places.length) this.#places = enlarged(this.#places, 3 * COUNT);
    this.#places[at] = this.#buffers.length - 1;
    this.#places[at + 1] = start;
    this.#places[at + 2] = length;
    this.#elsewhere += 1;
    this.#note(ELSEWHERE);
  }

  #note(length) {
    if (this.#count === this.#lengths.length) this.#lengths = enlarged(this.#lengths, COUNT);
    this.#lengths[this.#count] = length;
    this.#count += 1;
  }

  #grow(length) {
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#packed.length, this.#used + length));
    grown.set(this.#packed.subarray(0, this.#used));
    this.#packed = grown;
  }

  /**
   * Hashes the messages.
   * @param {string} algorithm
   * @param {string | string[]} encodings of every digest, or one for all; 'hex' for all is made in Rust
   * @param {object} [options] of `run`
   * @returns {Promise<(string | Buffer)[]>} the digests in the order of `add`
   */
  async hash(algorithm, encodings, options) {
    const asHex = encodings === 'hex';
    const size = DIGEST_BYTES[algorithm] * (asHex ? 2 : 1);
    const room = this.#count * size;
    if (this.#digests.length < room) this.#digests = Buffer.allocUnsafeSlow(room);
    const flat = this.#digests.subarray(0, room);
    const messages = {
      packed: this.#packed.subarray(0, this.#used),
      lengths: this.#lengths.subarray(0, this.#count),
      places: this.#places.subarray(0, 3 * this.#elsewhere),
      digests: flat,
    };
    await run((desk, id) => desk.hashMany(id, algorithm, messages, this.#buffers, asHex), options);
    return asHex ? cut(flat, size) : encoded(flat, size, encodings);
  }

  /** Makes the batch ready for other messages. @returns {boolean} whether it is worth keeping for them */
  clear() {
    this.#used = 0;
    this.#count = 0;
    this.#elsewhere = 0;
    this.#buffers = [];
    return (
      Math.max(this.#packed.length, this.#digests.length) <= MOST_ROOM &&
      Math.max(this.#lengths.length, this.#places.length / 3) <= MOST_COUNT
    );
  }
}

function enlarged(array, least) {
  const grown = new array.constructor(Math.max(least, 2 * array.length));
  grown.set(array);
  return grown;
}

/** Cutting a string is several times cheaper than making one. */
function cut(flat, size) {
  const count = flat.length / size;
  const list = new Array(count);
  for (let first = 0; first < count; first += GROUP) {
    const end = Math.min(first + GROUP, count);
    const text = flat.latin1Slice(first * size, end * size);
    for (let i = first, at = 0; i < end; i++, at += size) list[i] = text.slice(at, at + size);
  }
  return list;
}

function encoded(flat, size, encodings) {
  return Array.from({ length: flat.length / size }, (_, i) => {
    const encoding = typeof encodings === 'string' ? encodings : encodings[i];
    const digest = flat.subarray(i * size, (i + 1) * size);
    // A copy of its own: the batch's memory is for others.
    return encoding === 'buffer' ? Buffer.from(digest) : digest.toString(encoding);
  });
}

/**
 * A batch for the next job: the pages of a fresh one would have to be faulted in, which costs more than to fill them. From
 * the first job on some batch lives at any time, since V8 throws the code made for a class away with its last object.
 */
let spare;

/** @returns {Batch} an empty one, to be given back */
function takeBatch() {
  const batch = spare ?? new Batch();
  spare = undefined;
  return batch;
}

/** @param {Batch} batch whose job has ended */
function giveBack(batch) {
  if (batch.clear()) spare = batch;
  else spare ??= new Batch();
}

module.exports = { PACK_BELOW, giveBack, isSmall, takeBatch };
