'use strict';
/** What is on its way into the ring, in the order in which it was handed in. */
const { abortError, createError } = require('../errors.js');
const { litter } = require('./litter.js');

const [FULL, BUSY] = [-1, -2];
/** How often room is looked for although no ring was heard, in milliseconds: a reader may have died, or had its time. */
const LOOK_AGAIN = 10;
/** Posts that may wait for the lock; those for room never do. */
const MOST_POSTS = 1024;
/** Bytes that publish() may hold at once. */
const MOST_BYTES = 64 * 2 ** 20;
/** Most bytes of a message: `LARGEST_MESSAGE` of src/broadcast/station.rs. */
const LARGEST = 2 ** 30;

const full = (why) => createError('ERR_BROADCAST_FULL', `The ring is full: ${why}`);

const tooLarge = ({ length }) =>
  createError('ERR_OUT_OF_RANGE', `A message must have at most ${LARGEST} bytes. This one has ${length}`);

class Outbox {
  #transport;
  /** { channel, object, kind, buffer, start, length, from, deadline, resolve?, reject? } */
  #queue = [];
  #bytes = 0;
  #why = FULL;
  #timer;
  #onEmpty;

  /** @param {object} transport @param {() => void} onEmpty is called when nothing waits any more */
  constructor(transport, onEmpty) {
    this.#transport = transport;
    this.#onEmpty = onEmpty;
  }

  /** Whether nothing waits. */
  get isEmpty() {
    return this.#queue.length === 0;
  }

  /**
   * @param {number} channel
   * @param {number} object
   * @param {{ kind: number, buffer: Uint8Array, start: number, length: number }} message copied if it must wait
   * @throws ERR_BROADCAST_FULL when there is no room, or others wait for it; ERR_OUT_OF_RANGE above 1 GiB
   */
  post(channel, object, message) {
    // Looked at here: the addon is told a length in 32 bits, in which 4 GiB are 0.
    if (message.length > LARGEST) throw tooLarge(message);
    if (this.#queue.length > 0) this.flush();
    if (this.#queue.length === 0) {
      const answer = this.#transport.post(channel, object, message);
      if (answer === 0) return;
      if (answer === FULL) throw full(this.#whyFull(message));
      this.#why = BUSY;
    }
    // The lock is held by a process that the kernel has stopped for a moment: that is no reason to refuse.
    if (this.#why !== BUSY || this.#queue.length >= MOST_POSTS) throw full('what was published before waits, too');
    this.#add({ channel, object, ...message });
  }

  /** The same, waiting for room. @returns {Promise<void>} */
  publish(channel, object, message, timeout, signal) {
    if (signal?.aborted) return Promise.reject(abortError(signal));
    if (message.length > LARGEST) return Promise.reject(tooLarge(message));
    let from = 0;
    if (this.#queue.length === 0) {
      if (this.#transport.post(channel, object, message) === 0) return Promise.resolve();
      const answer = this.#sendPieces(channel, object, message, 0);
      if (answer.done) return Promise.resolve();
      from = answer.from;
    }
    const { length } = message;
    if (this.#bytes + length > MOST_BYTES && this.#queue.length > 0) {
      return Promise.reject(full(`${this.#queue.length} messages wait for room already`));
    }
    return new Promise((resolve, reject) => {
      const entry = { channel, object, ...message, from, resolve, reject };
      entry.deadline = performance.now() + timeout;
      if (signal) {
        entry.signal = signal;
        entry.onAbort = () => this.#fail(entry, abortError(signal));
        signal.addEventListener('abort', entry.onAbort, { once: true });
      }
      this.#add(entry);
    });
  }

  #whyFull({ length }) {
    if (length >= this.#transport.size) return 'the message is larger than all of it; publish() sends such in pieces';
    return 'its readers have not read what is in it; publish() waits for them';
  }

  /** Sends as much of a message as there is room for. @returns {{ done: boolean, from: number }} */
  #sendPieces(channel, object, { kind, buffer, start, length }, sent) {
    const bytes = buffer.subarray(start, start + length);
    let from = sent;
    for (;;) {
      const answer = this.#transport.publish(channel, object, kind, bytes, from);
      if (answer === 0) return { done: true, from };
      if (answer < 0) {
        this.#why = answer;
        return { done: false, from };
      }
      from = answer;
    }
  }

  /** Sends what there is room for. */
  flush() {
    if (this.#queue.length === 0) return;
    while (this.#queue.length > 0) {
      const [entry] = this.#queue;
      const { done, from } = this.#sendPieces(entry.channel, entry.object, entry, entry.from);
      entry.from = from;
      if (!done) break;
      this.#end(entry)?.();
    }
    this.#watch();
  }

  #add(entry) {
    // A copy: the caller's memory and the codec's are used again.
    litter(entry.length);
    const buffer = Uint8Array.prototype.slice.call(entry.buffer, entry.start, entry.start + entry.length);
    this.#queue.push({ from: 0, deadline: Number.POSITIVE_INFINITY, ...entry, buffer, start: 0 });
    this.#bytes += entry.length;
    this.#watch();
  }

  #watch() {
    const waits = this.#queue.length > 0;
    this.#transport.waitForRoom(waits);
    if (waits === (this.#timer !== undefined)) return;
    clearInterval(this.#timer);
    this.#timer = waits ? setInterval(() => this.#look(), LOOK_AGAIN) : undefined;
    if (!waits) this.#onEmpty();
  }

  #look() {
    this.flush();
    const now = performance.now();
    for (const entry of this.#queue.filter(({ deadline }) => deadline <= now)) {
      this.#fail(entry, full('its readers did not make room in time'));
    }
  }

  #fail(entry, error) {
    const waiting = this.#queue.find((one) => one.reject === entry.reject);
    if (waiting === undefined) return;
    this.#end(waiting);
    waiting.reject(error);
    this.#watch();
  }

  #end(entry) {
    this.#queue.splice(this.#queue.indexOf(entry), 1);
    this.#bytes -= entry.length;
    entry.signal?.removeEventListener('abort', entry.onAbort);
    return entry.resolve;
  }
}

module.exports = { Outbox };
