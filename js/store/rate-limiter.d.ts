import { type IRateLimiterOptions, RateLimiterStoreAbstract } from 'rate-limiter-flexible';
import type { Store, StoreOptions } from './types.js';

/** Options of a limiter, of `openStore`, and where it counts. */
export interface RateLimiterStoreOptions extends IRateLimiterOptions, StoreOptions {
  /** One that is open already. */
  storeClient?: Store;
  /** The name of the store to open; default 'rate-limiter'. */
  name?: string;
}

/** A limiter of rate-limiter-flexible that counts over all workers. */
export class RateLimiterStore extends RateLimiterStoreAbstract {
  constructor(options: RateLimiterStoreOptions);
}
