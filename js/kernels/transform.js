'use strict';
/** A Transform stream whose work is done in Rust, one job after the other, with back-pressure on both sides. */
const { Transform, addAbortSignal, finished } = require('node:stream');
const { abortError } = require('../errors.js');
const { bytes } = require('../options.js');
const { runWhenThereIsRoom } = require('./jobs.js');

/** What waits for one job to end and goes into the next: enough to make a crossing vanish beside the work. */
const HIGH_WATER_MARK = 256 * 1024;
/** A job is given at most this much, so that a stream holds no thread for long and can be destroyed in between. */
const MOST = 1024 * 1024;

const EMPTY = Buffer.alloc(0);
const kFlush = Symbol('flush');
/** One marker for each kind of flush, written among the chunks so that a flush keeps its place. */
const markers = Array.from({ length: 6 }, (_, kind) => Object.assign(Buffer.alloc(0), { [kFlush]: kind }));

/**
 * @typedef {object} Work
 * @property {(desk: object, id: number, input: Uint8Array, flush: number, isLast: boolean) => object | null} start hands
 *   a job to the addon; it ends with a Buffer, which may be empty
 * @property {() => boolean} [more] whether the job that ended left output for another one without input
 * @property {() => void} close frees the addon's state; a job may be under way
 * @property {number} least bytes that are worth a job; fewer wait for more to come, for a flush or the end. 0: none wait
 * @property {number} chunkSize the most bytes of one chunk of output
 * @property {number} flush zlib's number of the flush after what is written
 * @property {number} finishFlush and of the one at the end
 */

/** Calls back outside the promise: what a listener throws then is an uncaught exception, as with any stream. */
function settle(promise, callback) {
  promise.then(
    () => process.nextTick(callback),
    (error) => process.nextTick(callback, error),
  );
}

class NativeTransform extends Transform {
  /** @type {Work} */
  #work;
  /** Bytes the engine has taken, as in zlib's streams. */
  bytesWritten = 0;
  /** Chunks of the write under way. */
  #parts = [];
  /** A copy of what earlier writes brought: their chunks are the caller's again. */
  #kept;
  #keptLength = 0;
  #size = 0;
  #aborter = new AbortController();
  /** Settles the wait for the reading side. */
  #reader;

  constructor(options, work) {
    const { signal, ...rest } = options;
    super({ writableHighWaterMark: HIGH_WATER_MARK, ...rest });
    this.#work = work;
    // Not given to the base class: a signal that is aborted already would destroy a stream that is not yet made.
    if (signal !== undefined) addAbortSignal(signal, this);
  }

  /**
   * Makes everything written so far readable at the other end.
   * @param {number} [kind] a constant of zlib, Z_FULL_FLUSH (3) by default
   * @param {() => void} [callback]
   */
  flush(kind, callback) {
    if (typeof kind === 'function' || (kind === undefined && callback === undefined)) return this.flush(3, kind);
    if (this.writableFinished) {
      if (callback) process.nextTick(callback);
    } else if (this.writableEnded) {
      if (callback) this.once('end', callback);
    } else {
      this.write(markers[kind] ?? markers[3], callback);
    }
  }

  /** Destroys the stream. @param {() => void} [callback] called once it is closed */
  close(callback) {
    if (callback) finished(this, callback);
    this.destroy();
  }

  _write(chunk, _encoding, callback) {
    settle(this.#feed([chunk]), callback);
  }

  /** All that was buffered while a job was under way. */
  _writev(entries, callback) {
    settle(this.#feed(entries.map(({ chunk }) => chunk)), callback);
  }

  _flush(callback) {
    settle(this.#send(this.#work.finishFlush, true), callback);
  }

  _read() {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.resolve();
  }

  _destroy(error, callback) {
    // The job under way stops at its next chunk; what waits for it or for the reader is told now.
    this.#aborter.abort();
    this.#reader?.reject(abortError());
    this.#work.close();
    this.#parts = [];
    this.#kept = undefined;
    callback(error);
  }

  async #feed(chunks) {
    const { flush, least } = this.#work;
    for (const chunk of chunks) {
      if (chunk[kFlush] !== undefined) {
        await this.#send(chunk[kFlush], false);
        continue;
      }
      const part = bytes('chunk', chunk);
      this.#parts.push(part);
      this.#size += part.length;
      if (this.#size >= MOST) await this.#send(flush, false);
    }
    if (this.#size > 0 && this.#size >= least) await this.#send(flush, false);
    else this.#keep();
  }

  #keep() {
    for (const part of this.#parts) {
      this.#kept ??= Buffer.allocUnsafeSlow(this.#work.least);
      this.#kept.set(part, this.#keptLength);
      this.#keptLength += part.length;
    }
    this.#parts = [];
  }

  #take() {
    const parts = this.#keptLength > 0 ? [this.#kept.subarray(0, this.#keptLength), ...this.#parts] : this.#parts;
    this.#parts = [];
    this.#keptLength = 0;
    this.#size = 0;
    // The kept bytes may be given away: nothing is kept again before the job has ended.
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  }

  async #send(flush, isLast) {
    const input = this.#take();
    let at = 0;
    do {
      const piece = input.subarray(at, at + MOST);
      at += piece.length;
      const isEnd = at === input.length;
      const kind = isEnd ? flush : 0;
      await this.#emit(await this.#job(piece, kind, isLast && isEnd));
      this.bytesWritten += piece.length;
      while (this.#work.more?.()) await this.#emit(await this.#job(EMPTY, kind, isLast && isEnd));
    } while (at < input.length);
  }

  async #job(input, flush, isLast) {
    const start = (desk, id) => this.#work.start(desk, id, input, flush, isLast);
    return await runWhenThereIsRoom(start, { signal: this.#aborter.signal });
  }

  async #emit(output) {
    const { chunkSize } = this.#work;
    for (let at = 0; at < output.length; at += chunkSize) {
      if (this.destroyed) throw abortError();
      if (this.push(output.subarray(at, at + chunkSize))) continue;
      await new Promise((resolve, reject) => {
        this.#reader = { resolve, reject };
      });
    }
  }
}

/**
 * @param {import('node:stream').TransformOptions} options
 * @param {Work} work
 * @returns {NativeTransform}
 */
function createNativeTransform(options, work) {
  return new NativeTransform(options, work);
}

module.exports = { createNativeTransform };
