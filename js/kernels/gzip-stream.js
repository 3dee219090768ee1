'use strict';
const native = require('../native.js');
const { abortSignal, integer, object } = require('../options.js');
const { createNativeTransform } = require('./transform.js');

/** zlib's numbers. */
const Z_NO_FLUSH = 0;
const Z_FINISH = 4;
const Z_BLOCK = 5;
/** Less is not worth a job of its own: the engine would only put it aside. */
const LEAST = 64 * 1024;
const CHUNK_SIZE = 64 * 1024;

/** What both directions share, checked. */
function parse(options) {
  const { chunkSize, finishFlush, flush, signal, ...rest } = object('options', options);
  abortSignal('options.signal', signal);
  const flushKind = (name, value, fallback) => integer(name, value, { min: Z_NO_FLUSH, max: Z_BLOCK, fallback });
  return {
    // The stream's own options, a signal among them: Node's streams destroy themselves by it.
    stream: signal === undefined ? rest : { ...rest, signal },
    chunkSize: integer('options.chunkSize', chunkSize, { min: 64, max: 0x7fffffff, fallback: CHUNK_SIZE }),
    flush: flushKind('options.flush', flush, Z_NO_FLUSH),
    finishFlush: flushKind('options.finishFlush', finishFlush, Z_FINISH),
  };
}

/**
 * Compresses a stream into one gzip member: `zlib.createGzip` with the work on Rust threads. Of zlib's options and
 * methods it has those below, `bytesWritten`, `flush([kind], [callback])` and `close([callback])`; not `params`, `reset`
 * and `dictionary`.
 *
 * @example await pipeline(fs.createReadStream('a.log'), createGzip(), fs.createWriteStream('a.log.gz'));
 * @param {import('node:stream').TransformOptions & object} [options] those of a Transform, and:
 * @param {number} [options.level=6] 0 stores, 1 is the fastest, 9 the smallest; -1 is the default
 * @param {number} [options.windowBits=15] 8 to 15: log2 of the history searched for repeats
 * @param {number} [options.memLevel=8] 1 to 9
 * @param {number} [options.strategy=0] a constant of zlib: Z_DEFAULT_STRATEGY (0) to Z_FIXED (4)
 * @param {number} [options.chunkSize=65536] the most bytes of one chunk of output
 * @param {number} [options.flush=0] a constant of zlib; Z_SYNC_FLUSH (2) makes every write readable at once
 * @param {number} [options.finishFlush=4] the flush at the end; other than Z_FINISH it leaves the member open
 * @param {AbortSignal} [options.signal] destroys the stream
 * @returns {import('node:stream').Transform}
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE
 */
function createGzip(options) {
  const { stream, ...settings } = parse(options);
  const { level, windowBits, memLevel, strategy } = stream;
  const wanted = integer('options.level', level, { min: -1, max: 9, fallback: 6 });
  const state = new native.GzipStream(
    wanted === -1 ? 6 : wanted,
    // gzip has no window of 8 bits; zlib takes the next larger one.
    Math.max(9, integer('options.windowBits', windowBits, { min: 8, max: 15, fallback: 15 })),
    integer('options.memLevel', memLevel, { min: 1, max: 9, fallback: 8 }),
    integer('options.strategy', strategy, { min: 0, max: 4, fallback: 0 }),
  );
  return createNativeTransform(stream, {
    ...settings,
    least: settings.flush === Z_NO_FLUSH ? LEAST : 0,
    start: (desk, id, input, flush) => desk.gzipWrite(id, state, input, flush),
    close: () => state.close(),
  });
}

/**
 * Decompresses a stream of gzip data, every member of it: `zlib.createGunzip` with the work on a Rust thread. What
 * follows the last member is ignored when it begins with a zero byte, and is an error otherwise.
 *
 * @param {import('node:stream').TransformOptions & object} [options] those of a Transform, and:
 * @param {number} [options.maxOutputLength] fail with ERR_BUFFER_TOO_LARGE beyond so many bytes in all; default: no limit
 * @param {number} [options.chunkSize=65536] the most bytes of one chunk of output
 * @param {number} [options.finishFlush=4] other than Z_FINISH (4) it forgives a truncated end
 * @param {AbortSignal} [options.signal] destroys the stream
 * @returns {import('node:stream').Transform}
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE; the stream fails with ERR_GZIP_CORRUPT, ERR_GZIP_TRUNCATED or
 *   ERR_BUFFER_TOO_LARGE, after the output that came before
 */
function createGunzip(options) {
  const { stream, ...settings } = parse(options);
  const most = Number.MAX_SAFE_INTEGER;
  const limit = integer('options.maxOutputLength', stream.maxOutputLength, { min: 1, fallback: most });
  const state = new native.GunzipStream(limit);
  // A few chunks of output a job, so that a bomb waits for its reader.
  const room = Math.max(settings.chunkSize, 4 * CHUNK_SIZE);
  return createNativeTransform(stream, {
    ...settings,
    least: 0,
    start: (desk, id, input, _flush, isLast) =>
      desk.gunzipWrite(id, state, input, isLast && settings.finishFlush === Z_FINISH, room),
    more: () => state.pending,
    close: () => state.close(),
  });
}

module.exports = { createGunzip, createGzip };
