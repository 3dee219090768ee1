'use strict';
const { createError } = require('../errors.js');
const native = require('../native.js');
const { abortSignal, bytes, callback, object, oneOf, path, typeError } = require('../options.js');
const { giveBack, isSmall, takeBatch } = require('./hash-batch.js');
const { Hash } = require('./hash-stream.js');
const { hashSmall } = require('./hash-turn.js');
const { run } = require('./jobs.js');

const ENCODINGS = ['hex', 'base64', 'base64url', 'buffer'];
/** Up to this many bytes concurrent `hash` calls share a job; beyond, each is worth one of its own. */
const COALESCE_BELOW = 32 * 1024;

/** Spelling -> the name the addon uses, so that each spelling crosses once. */
const names = new Map();

function algorithmName(algorithm) {
  const known = names.get(algorithm);
  if (known !== undefined) return known;
  if (typeof algorithm !== 'string') throw typeError('algorithm', 'a string', algorithm);
  const name = native.hashAlgorithm(algorithm);
  if (!name) {
    const message = `The "algorithm" argument must be one of 'sha224', 'sha256', 'sha384', 'sha512'. Received '${algorithm}'`;
    throw createError('ERR_INVALID_ARG_VALUE', message);
  }
  // Bounded by the spellings that are known, which are a few dozen.
  names.set(algorithm, name);
  return name;
}

const DEFAULTS = { encoding: 'hex', signal: undefined };

function parse(options) {
  if (options === undefined) return DEFAULTS;
  const { encoding, signal } = object('options', options);
  return {
    encoding: oneOf('options.encoding', encoding, ENCODINGS, 'hex'),
    signal: abortSignal('options.signal', signal),
  };
}

const encode = (digest, encoding) => (encoding === 'buffer' ? digest : digest.toString(encoding));

/**
 * The digest of `data`, computed on Rust threads: `crypto.hash` without holding the event loop. Calls of up to 32 KiB
 * made in one turn of the loop are hashed together, in SIMD lanes. Strings and arrays of up to 512 bytes are copied at
 * the call; do not write to larger ones, or transfer them, before the promise settles.
 *
 * @example await hash('sha256', 'hello') // '2cf24dba...'
 * @param {string} algorithm 'sha256', 'sha224', 'sha384' or 'sha512', spelt as node:crypto takes them (FIPS 180-4)
 * @param {string | Uint8Array | ArrayBuffer} data a string is taken as UTF-8
 * @param {object} [options]
 * @param {'hex' | 'base64' | 'base64url' | 'buffer'} [options.encoding='hex']
 * @param {AbortSignal} [options.signal]
 * @returns {Promise<string | Buffer>} a Buffer with encoding 'buffer'
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_QUEUE_FULL, ABORT_ERR: all as rejections
 */
function hash(algorithm, data, options) {
  // Not an async function: at a microsecond a call its extra promise would count.
  try {
    const name = algorithmName(algorithm);
    const { encoding, signal } = parse(options);
    const isText = typeof data === 'string';
    const input = isText || isSmall(data) ? data : bytes('data', data);
    // A string of this many units has at most three times as many bytes.
    if (input.length <= (isText ? COALESCE_BELOW / 3 : COALESCE_BELOW)) return hashSmall(name, input, encoding, signal);
    return hashLarge(name, isText ? Buffer.from(data) : input, encoding, signal);
  } catch (error) {
    return Promise.reject(error);
  }
}

async function hashLarge(name, input, encoding, signal) {
  return encode(await run((desk, id) => desk.hash(id, name, input), { signal, caller: hash }), encoding);
}

/**
 * The digests of many messages at once, in SIMD lanes and over all threads of the pool. Strings and arrays of up to 512
 * bytes are copied at the call; do not write to larger ones, or transfer them, before the promise settles.
 *
 * @param {string} algorithm as for `hash`
 * @param {(string | Uint8Array | ArrayBuffer)[]} list
 * @param {object} [options] as for `hash`
 * @returns {Promise<(string | Buffer)[]>} one digest a message, in order
 * @throws as `hash`; the whole call fails if one message is of the wrong type
 */
async function hashMany(algorithm, list, options) {
  const name = algorithmName(algorithm);
  const { encoding, signal } = parse(options);
  if (!Array.isArray(list)) throw typeError('list', 'an array', list);
  if (list.length === 0) return [];
  const batch = takeBatch();
  try {
    batch.addAll(list);
    return await batch.hash(name, encoding, { signal, caller: hashMany });
  } finally {
    giveBack(batch);
  }
}

/**
 * The digest of a file, read and hashed on Rust threads at constant memory.
 *
 * @param {string} algorithm as for `hash`
 * @param {string | URL} file path or file URL
 * @param {object} [options] as for `hash`, and:
 * @param {(progress: { bytesDone: number, total?: number }) => void} [options.onProgress] called at most 20 times a
 *   second; `total` is missing for what is no regular file
 * @returns {Promise<string | Buffer>}
 * @throws as `hash`, and Node's system errors (ENOENT, EISDIR, ...)
 */
async function hashFile(algorithm, file, options) {
  const name = algorithmName(algorithm);
  const { encoding, signal } = parse(options);
  const onProgress = callback('options.onProgress', options?.onProgress);
  const from = path('file', file);
  const start = (desk, id) => desk.hashFile(id, name, from);
  return encode(await run(start, { signal, caller: hashFile, onProgress }), encoding);
}

/**
 * The digests of many files, read and hashed side by side on Rust threads; memory does not grow with their size.
 *
 * @param {string} algorithm as for `hash`
 * @param {(string | URL)[]} files paths or file URLs
 * @param {object} [options] as for `hashFile`; progress counts the bytes of all files
 * @returns {Promise<(string | Buffer)[]>} one digest a file, in order
 * @throws as `hashFile`; the first file that fails fails the whole call, and the error's `path` names it
 */
async function hashFiles(algorithm, files, options) {
  const name = algorithmName(algorithm);
  const { encoding, signal } = parse(options);
  const onProgress = callback('options.onProgress', options?.onProgress);
  if (!Array.isArray(files)) throw typeError('files', 'an array', files);
  // Not files.map(), which leaves holes as they are.
  const paths = Array.from(files, (file, i) => path(`files[${i}]`, file));
  if (paths.length === 0) return [];
  const start = (desk, id) => desk.hashFiles(id, name, paths, onProgress !== undefined);
  const flat = await run(start, { signal, caller: hashFiles, onProgress });
  const size = flat.length / paths.length;
  return paths.map((_, i) => encode(Buffer.from(flat.subarray(i * size, (i + 1) * size)), encoding));
}

/**
 * A digest as a stream: drop-in for `crypto.createHash` where it is piped into. The work is done on Rust threads, with
 * back-pressure; streams that run at the same time share SIMD lanes. The digest is the one chunk it emits at its end.
 *
 * @example await pipeline(request, createHash('sha256').setEncoding('hex'), response)
 * @param {string} algorithm as for `hash`
 * @param {import('node:stream').TransformOptions} [options]
 * @returns {import('node:stream').Transform}
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE
 */
function createHash(algorithm, options) {
  return new Hash(algorithmName(algorithm), object('options', options));
}

module.exports = { createHash, hash, hashFile, hashFiles, hashMany };
