'use strict';
const native = require('../native.js');
const { integer, object } = require('../options.js');
const { flip, flipFile } = require('./flip.js');
const { gunzip, gunzipFile, gzip, gzipFile } = require('./gzip.js');
const { createGunzip, createGzip } = require('./gzip-stream.js');
const { createHash, hash, hashFile, hashFiles, hashMany } = require('./hash.js');

/** The pool of Rust threads all kernels of this process share. */
const kernels = {
  /**
   * What the pool is doing.
   * @returns {{ threads: number, maxQueue: number, queued: number, running: number, completed: number,
   *   failed: number, aborted: number }} the last three count since the process started
   */
  stats: () => native.kernelStats(),

  /**
   * Sets the pool's limits; what is left out stays as it is. Running jobs are not disturbed.
   * @param {object} options
   * @param {number} [options.threads] jobs that run at once, 1 to 1024; default: `availableParallelism()`
   * @param {number} [options.maxQueue] jobs that may wait before ERR_QUEUE_FULL; default 1000
   * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE
   */
  configure(options) {
    const { threads, maxQueue } = object('options', options);
    native.configureKernels(
      integer('options.threads', threads, { min: 1, max: 1024 }),
      integer('options.maxQueue', maxQueue, { min: 0, max: 0x7fffffff }),
    );
  },
};

module.exports = {
  createGunzip,
  createGzip,
  createHash,
  flip,
  flipFile,
  gunzip,
  gunzipFile,
  gzip,
  gzipFile,
  hash,
  hashFile,
  hashFiles,
  hashMany,
  kernels,
};
