'use strict';
/** The store in memory that processes share: a thin layer over the addon's handle, one method a call. */
const { fromNative } = require('../errors.js');
const native = require('../native.js');
const { decode, MARK } = require('./codec.js');
const { packEntries, unpackEntries, unpackKeys, unpackValues } = require('./pack.js');

const { readStore } = native;
const NOTHING = Buffer.alloc(0);

class SharedBackend {
  transport = 'shared';
  /** Reads answer at once. */
  synchronous = true;
  #handle;
  #slot;
  /** id -> how to settle the promise of a write. */
  #pending = new Map();
  #lastId = 0;

  /** @param {{ path: string, maxSize: number, evict: boolean, durable: boolean }} options */
  constructor(options) {
    const handle = native.openStore(options, () => this.#drain());
    this.#handle = checked(handle);
    this.#slot = handle.slot;
  }

  get(key) {
    const found = readStore(this.#slot, key);
    if (typeof found === 'string') return found.charCodeAt(0) === MARK ? JSON.parse(found) : found;
    if (typeof found !== 'object') return found;
    return Buffer.isBuffer(found) ? decode(found[0], found, 1, found.length) : checked(found);
  }

  /** An entry as it is stored: @returns {{ tag: number, body: Buffer } | undefined} */
  raw(key) {
    const whole = checked(this.#handle.getWhole(key));
    return whole === null ? undefined : { tag: whole[0], body: whole.subarray(1) };
  }

  getMany(keys) {
    return unpackValues(checked(this.#handle.getMany(keys)));
  }

  has(key) {
    return checked(this.#handle.has(key));
  }

  ttl(key) {
    return checked(this.#handle.ttl(key));
  }

  size() {
    return checked(this.#handle.size());
  }

  keys(prefix, after, limit) {
    return unpackKeys(checked(this.#handle.scan(prefix, after, limit, false)));
  }

  entries(prefix, after, limit) {
    return unpackEntries(checked(this.#handle.scan(prefix, after, limit, true)));
  }

  set(key, { tag, body }, ttl) {
    return this.#write((id) => this.#handle.set(id, key, tag, body, ttl));
  }

  setMany(entries) {
    return this.#write((id) => this.#handle.setMany(id, packEntries(entries)));
  }

  delete(keys) {
    return this.#write((id) => this.#handle.delete(id, keys));
  }

  incr(key, by, ttl) {
    return this.#write((id) => this.#handle.incr(id, key, by, ttl));
  }

  cas(key, expected, next, ttl) {
    const none = { tag: 0, body: NOTHING };
    const [from, to] = [expected ?? none, next ?? none];
    return this.#write((id) => this.#handle.cas(id, key, from.tag, from.body, to.tag, to.body, ttl));
  }

  touch(key, ttl) {
    return this.#write((id) => this.#handle.touch(id, key, ttl));
  }

  clear(prefix) {
    return this.#write((id) => this.#handle.clear(id, prefix));
  }

  claim(key, run) {
    return this.#write((id) => this.#handle.claim(id, key, run));
  }

  settle(key, run, outcome, { tag, body }, ttl) {
    return this.#write((id) => this.#handle.settle(id, key, run, outcome, tag, body, ttl));
  }

  /** All runs of this opening count as those of one that died. */
  abandon() {
    this.#handle.abandon();
  }

  wait(key, token) {
    return checked(this.#handle.wait(key, token));
  }

  async close() {
    while (this.#pending.size > 0) await Promise.allSettled([...this.#pending.values()].map(({ promise }) => promise));
    this.#handle.close();
  }

  /** @returns {number | Promise<number>} a write that takes microseconds is mostly done at once */
  #write(start) {
    // A number comes round after 2^32 writes: by then its namesake has long ended.
    this.#lastId = (this.#lastId + 1) >>> 0;
    const answer = start(this.#lastId);
    if (typeof answer === 'number') return answer;
    if (answer !== null) return Promise.reject(fromNative(answer));
    const job = {};
    job.promise = new Promise((resolve, reject) => Object.assign(job, { resolve, reject }));
    this.#pending.set(this.#lastId, job);
    return job.promise;
  }

  #drain() {
    const { done, failed } = this.#handle.drain();
    for (let at = 0; at < done.length; at += 2) this.#take(done[at]).resolve(done[at + 1]);
    for (const { id, failure } of failed) this.#take(id).reject(fromNative(failure));
  }

  #take(id) {
    const job = this.#pending.get(id);
    this.#pending.delete(id);
    return job;
  }
}

/** The addon answers a value or a failure; a failure is an object with a message, which no value is. */
function checked(answer) {
  if (answer !== null && typeof answer === 'object' && typeof answer.message === 'string') throw fromNative(answer);
  return answer;
}

module.exports = { SharedBackend };
