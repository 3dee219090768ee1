'use strict';
/** A backend over entries that are held elsewhere, as codec.js writes them: in memory.js, a primary, or Redis. */
const { createError } = require('../errors.js');
const { decode } = require('./codec.js');

/** Entries as values; what it asks answers at once or by a promise, and so does it. */
class EncodedBackend {
  #closed = false;

  /**
   * @param {(method: string, ...args: unknown[]) => unknown} call asks for what `Memory` has under that name
   * @param {{ transport: 'shared' | 'ipc' | 'redis', owner: string }} about `owner` begins the names of all that it claims;
   *   'shared' answers at once
   */
  constructor(call, { transport, owner }) {
    this.transport = transport;
    this.synchronous = transport === 'shared';
    // Who is in the middle of something, a getOrSet say, hears of it as over shared memory.
    this.call = (...args) => {
      if (this.#closed) throw createError('ERR_STORE_CLOSED', 'the store is closed');
      return call(...args);
    };
    this.leave = async () => call('leave', owner);
    this.owner = owner;
  }

  /** An entry as it is stored: @returns {{ tag: number, body: string | Buffer } | undefined} */
  raw(key) {
    return then(this.call('raw', key), whole);
  }

  get(key) {
    return then(this.call('raw', key), value);
  }

  getMany(keys) {
    return then(this.call('rawMany', keys), (list) => list.map(value));
  }

  has(key) {
    return this.call('has', key);
  }

  ttl(key) {
    return this.call('ttl', key);
  }

  size() {
    return this.call('size');
  }

  keys(prefix, after, limit) {
    return then(this.call('scan', prefix, after, limit), (list) => list.map(([key]) => key));
  }

  entries(prefix, after, limit) {
    return then(this.call('scan', prefix, after, limit), (list) => list.map(([key, raw]) => [key, value(raw)]));
  }

  async set(...args) {
    return this.call('set', ...args);
  }

  async setMany(entries) {
    return this.call('setMany', entries);
  }

  async delete(keys) {
    return this.call('delete', keys);
  }

  async incr(...args) {
    return this.call('incr', ...args);
  }

  async cas(...args) {
    return this.call('cas', ...args);
  }

  async touch(...args) {
    return this.call('touch', ...args);
  }

  async clear(prefix) {
    return this.call('clear', prefix);
  }

  async claim(key, run) {
    return this.call('claim', key, this.owner, run);
  }

  async settle(key, run, ...rest) {
    return this.call('settle', key, this.owner, run, ...rest);
  }

  wait(key, token) {
    return this.call('wait', key, token);
  }

  /** All runs of this opening count as those of one that died. */
  abandon() {
    return this.leave();
  }

  async close() {
    this.#closed = true;
    await this.leave();
  }
}

const then = (answer, fn) => (answer instanceof Promise ? answer.then(fn) : fn(answer));

/** To a thread a Buffer comes as the Uint8Array that structured clone makes of it, which decode() cannot read. */
function whole(raw) {
  if (raw === undefined || typeof raw.body === 'string') return raw;
  return { tag: raw.tag, body: Buffer.from(raw.body.buffer, raw.body.byteOffset, raw.body.length) };
}

function value(raw) {
  if (raw === undefined || typeof raw.body === 'string') return raw?.body;
  const { tag, body } = whole(raw);
  return decode(tag, body, 0, body.length);
}

module.exports = { EncodedBackend };
