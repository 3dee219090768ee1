'use strict';
/** `rustcluster/rate-limiter`: rate-limiter-flexible over a store that all workers share. */
const { RateLimiterRes } = require('rate-limiter-flexible');
// The base of all its stores, which its index leaves out.
const RateLimiterStoreAbstract = require('rate-limiter-flexible/lib/RateLimiterStoreAbstract.js');
const { opened } = require('./check.js');
const { openStore } = require('./index.js');

/**
 * @example
 * const { RateLimiterStore } = require('rustcluster/rate-limiter');
 * const limiter = new RateLimiterStore({ points: 5, duration: 1 });
 * await limiter.consume(request.ip); // rejects with a RateLimiterRes after five in a second, over all workers
 */
class RateLimiterStore extends RateLimiterStoreAbstract {
  #store;

  /**
   * @param {object} options those of rate-limiter-flexible (`points`, `duration`, `keyPrefix`, ...), of `openStore`, and
   * @param {import('./types').Store} [options.storeClient] one that is open already
   * @param {string} [options.name] of the store to open; default 'rate-limiter'
   */
  constructor(options) {
    super(options);
    const { storeClient, name = 'rate-limiter', path, durable, maxSize, eviction, redis } = options;
    this.#store =
      opened('options.storeClient', storeClient) ?? openStore(name, { path, durable, maxSize, eviction, redis });
    this.client = this.#store;
  }

  _getRateLimiterRes(_key, changed, { points, left }) {
    const remaining = Math.max(this.points - points, 0);
    return new RateLimiterRes(remaining, Number.isFinite(left) ? left : -1, points, points === changed);
  }

  async _upsert(key, points, duration, forceExpire = false) {
    const options = duration > 0 ? { ttl: Math.ceil(duration) } : undefined;
    if (forceExpire) {
      await this.#store.set(key, points, options);
      return { points, left: duration > 0 ? duration : Number.POSITIVE_INFINITY };
    }
    const sum = await this.#store.incr(key, points, options);
    // The window may have ended since.
    return { points: sum, left: (await this.#store.ttl(key)) ?? 0 };
  }

  async _get(key) {
    const [points, left] = [await this.#store.get(key), await this.#store.ttl(key)];
    return points === undefined || left === undefined ? null : { points, left };
  }

  _delete(key) {
    return this.#store.delete(key);
  }
}

module.exports = { RateLimiterStore };
