'use strict';
/** What is on its way into the ring, in the order in which it was handed in. */
const { abortError, createError } = require('../errors.js');

const [FULL, BUSY] = [-1, -2];
/** How often room is looked for although no ring was heard, in milliseconds: a reader may have died, or had its time. */
const LOOK_AGAIN = 10;
/** Posts that may wait for the lock; those for room never do. */
const MOST_POSTS = 1024;
/** Bytes that publish() may hold at once. */
const MOST_BYTES = 64 * 2 ** 20;

const full = (why) => createError('ERR_BROADCAST_FULL', `The ring is full: ${why}`);

class Outbox {
  #transport;
  /** { channel, object, kind, buffer, length, from, settle?, deadline } */
  #queue = [];
  #bytes = 0;
  #why = FULL;
  #timer;

  constructor(transport) {
    this.#transport = transport;
  }

  /** @throws ERR_BROADCAST_FULL when there is no room, or others wait for it */
  post(channel, object, kind, buffer, length) {
    if (this.#queue.length === 0) {
      const answer = this.#transport.publish(channel, object, kind, buffer, length, 0, true);
      if (answer === 0) return;
      if (answer === FULL) throw full('its readers have not read what is in it; publish() waits for them');
      this.#why = BUSY;
    } else {
      this.flush();
      if (this.#queue.length === 0) {
        this.post(channel, object, kind, buffer, length);
        return;
      }
    }
    // The lock is held by a process that the kernel has stopped for a moment: that is no reason to refuse.
    if (this.#why !== BUSY || this.#queue.length >= MOST_POSTS) throw full('what was published before waits, too');
    this.#add({ channel, object, kind, buffer, length });
  }

  /** The short way. @returns {boolean} false: not sent, so {@link post} or {@link publish} must deal with it */
  sendText(channel, object, kind, text) {
    return this.#queue.length === 0 && this.#transport.publishText(channel, object, kind, text) === 0;
  }

  publish(channel, object, kind, buffer, length, timeout, signal) {
    if (signal?.aborted) return Promise.reject(abortError(signal));
    let from = 0;
    while (this.#queue.length === 0) {
      const answer = this.#transport.publish(channel, object, kind, buffer, length, from, false);
      if (answer === 0) return DONE;
      if (answer < 0) {
        this.#why = answer;
        break;
      }
      from = answer;
    }
    if (this.#bytes + length > MOST_BYTES && this.#queue.length > 0) {
      return Promise.reject(full(`${this.#queue.length} messages wait for room already`));
    }
    return new Promise((resolve, reject) => {
      const entry = { channel, object, kind, buffer, length, from, resolve, reject };
      entry.deadline = performance.now() + timeout;
      if (signal) {
        entry.signal = signal;
        entry.onAbort = () => this.#fail(entry, abortError(signal));
        signal.addEventListener('abort', entry.onAbort, { once: true });
      }
      this.#add(entry);
    });
  }

  /** Sends what there is room for. */
  flush() {
    if (this.#queue.length === 0) return;
    while (this.#queue.length > 0) {
      const entry = this.#queue[0];
      const { channel, object, kind, buffer, length, from } = entry;
      const answer = this.#transport.publish(channel, object, kind, buffer, length, from, false);
      if (answer < 0) {
        this.#why = answer;
        break;
      }
      if (answer === 0) this.#end(entry)?.();
      else entry.from = answer;
    }
    this.#watch();
  }

  #add(entry) {
    // A copy: the caller's memory and the codec's are used again.
    const buffer = Uint8Array.prototype.slice.call(entry.buffer, 0, entry.length);
    this.#queue.push({ from: 0, deadline: Number.POSITIVE_INFINITY, ...entry, buffer });
    this.#bytes += entry.length;
    this.#watch();
  }

  #watch() {
    const waits = this.#queue.length > 0;
    this.#transport.waitForRoom(waits);
    if (waits === (this.#timer !== undefined)) return;
    clearInterval(this.#timer);
    this.#timer = waits ? setInterval(() => this.#look(), LOOK_AGAIN) : undefined;
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

const DONE = Promise.resolve();

module.exports = { DONE, Outbox };
