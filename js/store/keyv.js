'use strict';
/** `rustcluster/keyv`: a storage adapter for Keyv, over a store that all workers share. */
const { EventEmitter } = require('node:events');
const { object } = require('../options.js');
const { opened } = require('./check.js');
const { openStore } = require('./index.js');

/**
 * @example
 * const Keyv = require('keyv').default;
 * const KeyvStore = require('rustcluster/keyv');
 * const cache = new Keyv({ store: new KeyvStore(), namespace: 'users', ttl: 60_000 });
 */
class KeyvStore extends EventEmitter {
  /** Keyv iterates only over stores that name a dialect it knows. */
  opts = { dialect: 'redis', url: '' };
  #store;
  #isOwn;

  /**
   * @param {object} [options] of `openStore`, and
   * @param {import('./types').Store} [options.store] one that is open already; `disconnect()` then leaves it open
   * @param {string} [options.name] of the store to open; default 'keyv'
   */
  constructor(options) {
    super();
    const { store, name = 'keyv', ...own } = object('options', options);
    this.#isOwn = store === undefined;
    this.#store = opened('options.store', store) ?? openStore(name, own);
  }

  get(key) {
    return this.#store.get(key);
  }

  getMany(keys) {
    return this.#store.getMany(keys);
  }

  /** @param {number} [ttl] milliseconds; 0 and undefined are for ever, as Keyv has it */
  async set(key, value, ttl) {
    if (value === undefined) await this.#store.delete(key);
    else await this.#store.set(key, value, lifetime(ttl));
    return true;
  }

  async setMany(entries) {
    // One transaction for each time to live, of which there is mostly one.
    const groups = Map.groupBy?.(entries, ({ ttl }) => ttl) ?? group(entries);
    for (const [ttl, list] of groups) {
      await this.#store.setMany(
        list.map(({ key, value }) => [key, value]),
        lifetime(ttl),
      );
    }
    return entries.map(() => true);
  }

  delete(key) {
    return this.#store.delete(key);
  }

  async deleteMany(keys) {
    return (await this.#store.deleteMany(keys)) > 0;
  }

  has(key) {
    return this.#store.has(key);
  }

  async hasMany(keys) {
    return Promise.all(keys.map((key) => this.#store.has(key)));
  }

  /** Keyv 5 has set `namespace`, which is no field of ours: Keyv 6 leaves the prefixing of keys to whoever has one. */
  async clear() {
    await this.#store.clear(this.namespace === undefined ? undefined : `${this.namespace}:`);
  }

  /** @returns {AsyncGenerator<[string, unknown]>} keys with their namespace, which Keyv takes off */
  iterator(namespace) {
    return this.#store.entries(namespace === undefined ? {} : { prefix: `${namespace}:` });
  }

  async disconnect() {
    if (this.#isOwn) await this.#store.close();
  }
}

// Keyv's numbers need not be whole.
const lifetime = (ttl) => (ttl > 0 && ttl < Number.MAX_SAFE_INTEGER ? { ttl: Math.ceil(ttl) } : undefined);

/** Map.groupBy, which Node 20 has not. */
function group(entries) {
  const groups = new Map();
  for (const entry of entries) groups.set(entry.ttl, [...(groups.get(entry.ttl) ?? []), entry]);
  return groups;
}

module.exports = KeyvStore;
module.exports.KeyvStore = KeyvStore;
