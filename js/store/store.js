'use strict';
const { isDeepStrictEqual } = require('node:util');
const { createError } = require('../errors.js');
const { callback, integer, object, typeError } = require('../options.js');
const check = require('./check.js');
const { decode, encode, isObject } = require('./codec.js');
const { Flights } = require('./flights.js');

/** Entries an iteration fetches at once. */
const PAGE = 512;

/**
 * A key-value store that all processes of a cluster share; `openStore` makes it. docs/store.md and types.d.ts describe it
 * in full.
 */
class Store {
  /** The name it was opened under. */
  name;
  #backend;
  #flights;
  #closed;

  constructor(name, backend) {
    this.name = name;
    this.#backend = backend;
    this.#flights = new Flights(backend);
  }

  /** `'shared'` for memory that processes share, `'ipc'` where the primary holds the entries, `'redis'` where Redis does. */
  get transport() {
    return this.#backend.transport;
  }

  /**
   * Reads an entry.
   * @param {string} key up to 1,024 bytes of UTF-8
   * @returns {Promise<unknown>} a copy of its own, undefined where there is none; bytes as a Buffer
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for no key; ERR_STORE_CLOSED; as all methods
   */
  async get(key) {
    return this.#open().get(check.key(key));
  }

  /** As `get`, without a promise: microseconds. @throws ERR_STORE_UNAVAILABLE where `transport` is not `'shared'` */
  getSync(key) {
    return this.#sync().get(check.key(key));
  }

  /** Reads several entries as of one moment. @param {string[]} keys @returns {Promise<unknown[]>} in their order */
  async getMany(keys) {
    return this.#open().getMany(check.keys(keys));
  }

  /** As `getMany`, without a promise. @throws ERR_STORE_UNAVAILABLE where `transport` is not `'shared'` */
  getManySync(keys) {
    return this.#sync().getMany(check.keys(keys));
  }

  /** @returns {Promise<boolean>} whether there is an entry */
  async has(key) {
    return this.#open().has(check.key(key));
  }

  /** As `has`, without a promise. @throws ERR_STORE_UNAVAILABLE where `transport` is not `'shared'` */
  hasSync(key) {
    return this.#sync().has(check.key(key));
  }

  /** @returns {Promise<number | undefined>} milliseconds an entry has to live: Infinity without end, undefined without entry */
  async ttl(key) {
    const left = await this.#open().ttl(check.key(key));
    return left < 0 ? undefined : left;
  }

  /** @returns {Promise<number>} entries that have not expired */
  async size() {
    return this.#open().size();
  }

  /**
   * Writes an entry. The promise resolves when every process sees it, and with `durable` when it is on the disk.
   * @param {string} key
   * @param {unknown} value what structured clone takes, but undefined
   * @param {{ ttl?: number }} [options] milliseconds to live; without it, and with Infinity, the entry stays
   * @returns {Promise<void>}
   * @throws ERR_STORE_FULL; DataCloneError
   */
  async set(key, value, options) {
    const { ttl } = object('options', options);
    await this.#open().set(check.key(key), encode(value), check.ttl(ttl));
  }

  /**
   * Writes several entries, all or none.
   * @param {Iterable<[string, unknown]> | Record<string, unknown>} entries a Map, pairs, or an object
   * @param {{ ttl?: number }} [options] for all of them
   * @returns {Promise<void>}
   */
  async setMany(entries, options) {
    const ttl = check.ttl(object('options', options).ttl);
    const backend = this.#open();
    if (entries === null || typeof entries !== 'object')
      throw typeError('entries', 'an object or an iterable', entries);
    const pairs = typeof entries[Symbol.iterator] === 'function' ? [...entries] : Object.entries(entries);
    const list = pairs.map((pair) => {
      if (!Array.isArray(pair) || pair.length !== 2) throw typeError('entries', 'made of [key, value]', pair);
      return { key: check.key(pair[0]), ...encode(pair[1]), ttl };
    });
    if (list.length > 0) await backend.setMany(list);
  }

  /** Deletes an entry. @returns {Promise<boolean>} whether there was one */
  async delete(key) {
    return (await this.#open().delete([check.key(key)])) > 0;
  }

  /** Deletes several entries at once. @param {string[]} keys @returns {Promise<number>} how many there were */
  async deleteMany(keys) {
    return this.#open().delete(check.keys(keys));
  }

  /**
   * Adds to a number, which begins at 0; no other write of any process comes in between.
   * @param {string} key
   * @param {number} [by] 1; negative to subtract
   * @param {{ ttl?: number }} [options] counted from the increment that makes the entry: a fixed window
   * @returns {Promise<number>} the new number
   * @throws ERR_STORE_NOT_NUMBER where the entry holds something else
   */
  async incr(key, by = 1, options = undefined) {
    if (typeof by !== 'number') throw typeError('by', 'a number', by);
    if (!Number.isFinite(by)) throw createError('ERR_OUT_OF_RANGE', `The value of "by" must be finite. Received ${by}`);
    return this.#open().incr(check.key(key), by, check.ttl(object('options', options).ttl));
  }

  /**
   * Compare and swap: writes `value` if the entry holds `expected`, with no other write in between.
   * @param {string} key
   * @param {unknown} expected undefined: no entry. Objects are equal as `util.isDeepStrictEqual` says
   * @param {unknown} value undefined deletes
   * @param {{ ttl?: number }} [options]
   * @returns {Promise<boolean>} whether it was written
   */
  async cas(key, expected, value, options) {
    const ttl = check.ttl(object('options', options).ttl);
    const backend = this.#open();
    const next = value === undefined ? undefined : encode(value);
    const from = expected === undefined ? undefined : encode(expected);
    if (!isObject(from?.tag)) return (await backend.cas(check.key(key), from, next, ttl)) > 0;
    // Equal objects can have unequal bytes (an array that has been read is written otherwise than a fresh one), so they
    // are compared here, and the bytes that were equal must be there still.
    for (;;) {
      const found = await backend.raw(check.key(key));
      if (!isObject(found?.tag)) return false;
      const now = decode(found.tag, found.body, 0, found.body.length);
      if (!isDeepStrictEqual(now, expected)) return false;
      if ((await backend.cas(key, found, next, ttl)) > 0) return true;
    }
  }

  /**
   * Gives an entry a new time to live, counted from now.
   * @param {string} key
   * @param {number} [ttl] milliseconds; undefined or Infinity for no end
   * @returns {Promise<boolean>} whether there is such an entry
   */
  async touch(key, ttl) {
    return (await this.#open().touch(check.key(key), check.ttl(ttl, 'ttl'))) > 0;
  }

  /**
   * Reads an entry; where there is none, has `fn` make it. However many ask at once, in all workers, it runs once.
   *
   * If it throws, all who wait are rejected, those of other processes with a copy of the error, and nothing is stored. If
   * its process dies, one of those who wait runs its own. If it gives undefined nothing is stored, and each process that
   * waits runs its own in turn.
   * @param {string} key
   * @param {{ ttl?: number }} [options] milliseconds to live
   * @param {() => unknown} fn the function, which may be async
   * @returns {Promise<unknown>} a copy of its own for each caller
   * @example
   * const count = await store.getOrSet('users', { ttl: 10_000 }, () => db.countUsers());
   */
  async getOrSet(key, options, fn) {
    if (typeof options === 'function' && fn === undefined) return this.getOrSet(key, undefined, options);
    const ttl = check.ttl(object('options', options).ttl);
    if (callback('fn', fn) === undefined) throw typeError('fn', 'a function', fn);
    const found = await this.#open().get(check.key(key));
    return found === undefined ? this.#flights.value(key, ttl, fn) : found;
  }

  /** Deletes all entries, or those whose key begins with `prefix`. @returns {Promise<number>} how many there were */
  async clear(prefix) {
    return this.#open().clear(check.prefix(prefix));
  }

  /**
   * The keys, in the order of their UTF-8 bytes. Entries written or deleted while it runs may be missing or there.
   * @param {{ prefix?: string }} [options]
   * @returns {AsyncGenerator<string>}
   */
  async *keys(options) {
    yield* this.#pages('keys', options, (key) => key);
  }

  /** The entries, as `keys`. @returns {AsyncGenerator<[string, unknown]>} */
  async *entries(options) {
    yield* this.#pages('entries', options, ([key]) => key);
  }

  [Symbol.asyncIterator]() {
    return this.entries();
  }

  /** Waits for the writes under way and lets go of the store; entries stay. Every later call fails. @returns {Promise<void>} */
  close() {
    this.#closed ??= this.#backend.close();
    return this.#closed;
  }

  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    return this.close();
  }

  async *#pages(method, options, keyOf) {
    const { prefix, limit } = object('options', options);
    const start = check.prefix(prefix);
    let left = integer('options.limit', limit, { min: 1, endless: true, fallback: Number.POSITIVE_INFINITY });
    for (let after; ; ) {
      const page = await this.#open()[method](start, after, PAGE);
      for (const item of page) {
        yield item;
        if (--left === 0) return;
      }
      if (page.length === 0) return;
      after = keyOf(page.at(-1));
    }
  }

  #open() {
    if (this.#closed !== undefined) throw createError('ERR_STORE_CLOSED', `The store "${this.name}" is closed`);
    return this.#backend;
  }

  #sync() {
    const backend = this.#open();
    if (backend.synchronous) return backend;
    throw createError(
      'ERR_STORE_UNAVAILABLE',
      'The entries are in another process: use the method that gives a promise',
    );
  }
}

module.exports = { Store };
