'use strict';
/**
 * `getOrSet`: one run of a function for all who ask for its key at the same time, in all processes.
 *
 * Callers of one store object share a promise. Between them and the rest of the machine the store keeps a record of who
 * runs; the others look at it, after 1 ms first and every 20 ms at most. A runner that dies loses its record with its
 * process, and the next to look takes over.
 */
const { setTimeout: sleep } = require('node:timers/promises');
const { decode, decodeError, encode, encodeError } = require('./codec.js');

const [RUN, WAIT] = [0, 1];
const [VALUE, NOTHING, THROWN] = [0, 1, 2];
const [OVER, FAILED] = [0, 2];
const LONGEST_PAUSE = 20;
const NONE = { tag: 0, body: Buffer.alloc(0) };

class Flights {
  #backend;
  /** key -> the promise of a run, or of another process's. */
  #under = new Map();
  #runs = 0;

  constructor(backend) {
    this.#backend = backend;
  }

  /** @returns {Promise<unknown>} the value, of each caller's own */
  async value(key, ttl, fn) {
    let flight = this.#under.get(key);
    if (flight === undefined) {
      flight = this.#fly(key, ttl, fn).finally(() => this.#under.delete(key));
      this.#under.set(key, flight);
    }
    return copy(await flight);
  }

  /** @returns {Promise<{ tag: number, body: string | Uint8Array } | { value: unknown }>} encoded, or as it was read */
  async #fly(key, ttl, fn) {
    for (;;) {
      const run = ++this.#runs;
      const claim = await this.#backend.claim(key, run);
      if (claim === RUN) return this.#run(key, run, ttl, fn);
      const value = claim === WAIT ? await this.#wait(key) : await this.#backend.get(key);
      // Gone again, or its runner died or gave nothing: now it may be our turn.
      if (value !== undefined) return encode(value);
    }
  }

  async #run(key, run, ttl, fn) {
    let encoded;
    try {
      const value = await fn();
      encoded = value === undefined ? undefined : encode(value);
    } catch (thrown) {
      await this.#settle(key, run, THROWN, { tag: 1, body: encodeError(thrown) }, 0).catch(() => {});
      throw thrown;
    }
    if (encoded === undefined) await this.#settle(key, run, NOTHING, NONE, 0);
    else await this.#settle(key, run, VALUE, encoded, ttl);
    return encoded;
  }

  /** Ends a run. Where that cannot be written (a full disk, say) nobody must wait for it: we count as gone. */
  async #settle(key, run, ...outcome) {
    try {
      await this.#backend.settle(key, run, ...outcome);
    } catch (error) {
      const ended = await this.#backend.settle(key, run, NOTHING, NONE, 0).catch(() => undefined);
      if (ended === undefined) await this.#backend.abandon();
      throw error;
    }
  }

  async #wait(key) {
    let token;
    for (let pause = 1; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      await sleep(pause);
      const look = await this.#backend.wait(key, token);
      if (look.state === FAILED) throw decodeError(look.error);
      if (look.state === OVER) return this.#backend.get(key);
      token = look.token ?? undefined;
    }
  }
}

function copy(encoded) {
  if (encoded === undefined) return undefined;
  const { tag, body } = encoded;
  if (typeof body === 'string') return body;
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.length);
  return decode(tag, bytes, 0, bytes.length);
}

module.exports = { Flights };
