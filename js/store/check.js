'use strict';
/** The store's own argument checks. */
const { createError } = require('../errors.js');
const { integer, object, oneOf, path, typeError } = require('../options.js');

/** Longest key in bytes of UTF-8: `MAX_KEY` of src/store/record.rs. */
const MAX_KEY = 1024;
/** Default of `maxSize`. */
const MAX_SIZE = 256 * 1024 * 1024;

/** @returns {string} @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a lone surrogate, ERR_OUT_OF_RANGE */
function key(value, name = 'key') {
  if (typeof value !== 'string') throw typeError(name, 'a string', value);
  // No character takes more than three bytes a unit, so most keys need not be measured.
  if (value.length * 3 > MAX_KEY && Buffer.byteLength(value) > MAX_KEY) {
    throw createError('ERR_OUT_OF_RANGE', `The "${name}" argument must be at most ${MAX_KEY} bytes of UTF-8`);
  }
  if (!value.isWellFormed()) {
    throw createError('ERR_INVALID_ARG_VALUE', `The "${name}" argument must not hold lone surrogates`);
  }
  return value;
}

/** @returns {string[]} @throws as `key` */
function keys(value) {
  if (!Array.isArray(value)) throw typeError('keys', 'an array', value);
  // Not by map(), which passes over holes.
  return Array.from(value, (one, index) => key(one, `keys[${index}]`));
}

/** @returns {string} '' when undefined @throws as `key` */
const prefix = (value) => (value === undefined ? '' : key(value, 'prefix'));

/**
 * @returns {number} milliseconds; 0 for undefined and Infinity, which `ttl()` gives: no end
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE
 */
const ttl = (value, name = 'options.ttl') =>
  value === Number.POSITIVE_INFINITY ? 0 : integer(name, value, { min: 1, fallback: 0 });

/** Names are names of folders. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;

function storeName(value) {
  if (typeof value !== 'string') throw typeError('name', 'a string', value);
  if (!NAME.test(value)) {
    const message =
      'The "name" argument must be 1 to 100 letters, digits, "_", "-" or ".", not beginning with "." or "-"';
    throw createError('ERR_INVALID_ARG_VALUE', message);
  }
  return value;
}

/** @returns {object | undefined} a store, as adapters take it @throws ERR_INVALID_ARG_TYPE for anything else */
function opened(name, value) {
  if (value !== undefined && typeof value?.getOrSet !== 'function') throw typeError(name, 'a store', value);
  return value;
}

/** What Redis itself is told. */
const OWN = ['path', 'durable', 'maxSize', 'eviction'];

function redisClient(options) {
  const { redis } = options;
  if (redis === undefined) return undefined;
  if (typeof redis?.callBuffer !== 'function') throw typeError('options.redis', 'a client of ioredis', redis);
  const other = OWN.find((name) => options[name] !== undefined);
  if (other === undefined) return redis;
  throw createError('ERR_INVALID_ARG_VALUE', `"options.${other}" does not go with "options.redis"`);
}

/**
 * @param {unknown} value the options of `openStore`
 * @returns {{ redis?: object, path?: string, durable: boolean, maxSize: number, evict: boolean }}
 */
function storeOptions(value) {
  const options = object('options', value);
  const redis = redisClient(options);
  const folder = options.path === undefined ? undefined : path('options.path', options.path);
  const durable = options.durable === undefined ? folder !== undefined : options.durable;
  if (typeof durable !== 'boolean') throw typeError('options.durable', 'a boolean', durable);
  if (durable && folder === undefined) {
    throw createError('ERR_INVALID_ARG_VALUE', '"options.durable" needs "options.path": without it nothing is kept');
  }
  const maxSize = integer('options.maxSize', options.maxSize, { min: 65_536, max: 2 ** 44, fallback: MAX_SIZE });
  const evict = oneOf('options.eviction', options.eviction, ['none', 'lru'], 'none') === 'lru';
  return { redis, path: folder, durable, maxSize, evict };
}

module.exports = { key, keys, opened, prefix, storeName, storeOptions, ttl };
