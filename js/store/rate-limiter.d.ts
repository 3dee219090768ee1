import { type IRateLimiterOptions, RateLimiterStoreAbstract } from 'rate-limiter-flexible';
import type { Store } from './types.js';

/** A limiter of rate-limiter-flexible that counts over all workers. */
export class RateLimiterStore extends RateLimiterStoreAbstract {
  /** `storeClient`: a store that is open already; default: the store 'rate-limiter'. */
  constructor(options: IRateLimiterOptions & { storeClient?: Store });
}
