'use strict';
const { constants } = require('node:buffer');
const { abortSignal, bytes, callback, integer, object, path } = require('../options.js');
const { run } = require('./jobs.js');

const DEFAULT_LEVEL = 6;
/** What `gunzip` gives at most unless told otherwise: a few bytes from a stranger must not become all of the memory. */
const DEFAULT_MAX_OUTPUT = 2 ** 30;

function parse(options) {
  const { level, maxOutputLength, onProgress, signal } = object('options', options);
  const wanted = integer('options.level', level, { min: -1, max: 12, fallback: DEFAULT_LEVEL });
  return {
    // zlib's name for its default.
    level: wanted === -1 ? DEFAULT_LEVEL : wanted,
    maxOutputLength,
    onProgress: callback('options.onProgress', onProgress),
    signal: abortSignal('options.signal', signal),
  };
}

const outputLimit = (value, max, fallback) => integer('options.maxOutputLength', value, { min: 1, max, fallback });

/**
 * Compresses `data` into one gzip member (RFC 1952) on Rust threads; inputs of more than 2 MiB on several at once. The
 * same data and level always give the same bytes: at the default level no more of them than zlib's own, of all kinds of
 * data measured but long runs of one byte. Do not write to `data`, or transfer it, before the promise settles.
 *
 * @example response.end(await gzip(html));
 * @param {string | Uint8Array | ArrayBuffer} data a string is taken as UTF-8
 * @param {object} [options]
 * @param {number} [options.level=6] 0 stores, 1 is the fastest, 9 the smallest zlib has, 10 to 12 smaller and far slower;
 *   -1 is the default, as in zlib
 * @param {AbortSignal} [options.signal]
 * @returns {Promise<Buffer>}
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE, ERR_QUEUE_FULL, ABORT_ERR: all as rejections
 */
async function gzip(data, options) {
  const input = typeof data === 'string' ? Buffer.from(data) : bytes('data', data);
  const { level, signal } = parse(options);
  return await run((desk, id) => desk.gzip(id, input, level), { signal, caller: gzip });
}

/**
 * Decompresses gzip data on a Rust thread: every member of it. What follows the last member is ignored when it begins
 * with a zero byte, and is an error otherwise, as in node:zlib.
 *
 * @param {Uint8Array | ArrayBuffer} data
 * @param {object} [options]
 * @param {number} [options.maxOutputLength=1073741824] reject with ERR_BUFFER_TOO_LARGE beyond so many bytes
 * @param {AbortSignal} [options.signal]
 * @returns {Promise<Buffer>}
 * @throws ERR_GZIP_CORRUPT, ERR_GZIP_TRUNCATED, ERR_BUFFER_TOO_LARGE, ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE,
 *   ERR_OUT_OF_RANGE, ERR_QUEUE_FULL, ABORT_ERR: all as rejections
 */
async function gunzip(data, options) {
  const input = bytes('data', data);
  const { maxOutputLength, signal } = parse(options);
  const limit = outputLimit(maxOutputLength, constants.MAX_LENGTH, DEFAULT_MAX_OUTPUT);
  return await run((desk, id) => desk.gunzip(id, input, limit), { signal, caller: gunzip });
}

/**
 * Compresses the file `source` into `destination`, which may be the same file, on all threads of the pool and at constant
 * memory. The bytes are those `gzip` gives for the file's content. The destination is replaced as a whole, by a rename:
 * an error, an abort or a killed process leaves what was there. What is no regular file (a device, a pipe) is not
 * replaced; of a symbolic link it is the link that is.
 *
 * @example await gzipFile('access.log', 'access.log.gz', { onProgress: ({ bytesDone, total }) => bar(bytesDone / total) });
 * @param {string | URL} source path or file URL
 * @param {string | URL} destination path or file URL
 * @param {object} [options] `level` and `signal` as for `gzip`, and:
 * @param {(progress: { bytesDone: number, total?: number }) => void} [options.onProgress] bytes of the source; called at
 *   most 20 times a second. If it throws, the job is aborted and rejects with what was thrown
 * @returns {Promise<{ bytesIn: number, bytesOut: number }>} the sizes of both files
 * @throws as `gzip`, and Node's system errors (ENOENT, EISDIR, EACCES, ENOSPC, ...)
 */
async function gzipFile(source, destination, options) {
  const from = path('source', source);
  const to = path('destination', destination);
  const { level, onProgress, signal } = parse(options);
  return await run((desk, id) => desk.gzipFile(id, from, to, level), { signal, caller: gzipFile, onProgress });
}

/**
 * Decompresses the file `source` into `destination`, as `gzipFile` compresses it: constant memory, all or nothing.
 *
 * @param {string | URL} source path or file URL
 * @param {string | URL} destination path or file URL
 * @param {object} [options] `onProgress` and `signal` as for `gzipFile`, and:
 * @param {number} [options.maxOutputLength] reject with ERR_BUFFER_TOO_LARGE beyond so many bytes; default: no limit
 * @returns {Promise<{ bytesIn: number, bytesOut: number }>} the sizes of both files
 * @throws as `gunzip`, and Node's system errors (ENOENT, EISDIR, EACCES, ENOSPC, ...)
 */
async function gunzipFile(source, destination, options) {
  const from = path('source', source);
  const to = path('destination', destination);
  const { maxOutputLength, onProgress, signal } = parse(options);
  const limit = outputLimit(maxOutputLength, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  return await run((desk, id) => desk.gunzipFile(id, from, to, limit), { signal, caller: gunzipFile, onProgress });
}

module.exports = { gunzip, gunzipFile, gzip, gzipFile };
