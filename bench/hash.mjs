/** SHA-256 of one thing and of many, beside node:crypto, hash-wasm and a pool of worker threads. */
import { manySuites } from './hash/many.mjs';
import { oneSuites } from './hash/one.mjs';
import { streamSuites } from './hash/streams.mjs';

export const rounds = 7;

/**
 * @param {{ quick: boolean }} options
 * @returns {import('./lib/suite.mjs').Suite[]}
 */
export const suites = (options) => [...oneSuites(options), ...manySuites(options), ...streamSuites(options)];
