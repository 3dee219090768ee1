'use strict';
/**
 * Jobs on Rust threads as promises. A job is started under a number; when jobs have ended the addon calls `settle`
 * once, without a payload, and this side drains them in one batch.
 */
const { setTimeout } = require('node:timers');
const { abortError, fromNative } = require('../errors.js');
const native = require('../native.js');
const { onAbort } = require('./abort.js');
const { watch } = require('./progress.js');

/** How long a stream waits before it looks again whether the pool's queue has room, in milliseconds. */
const QUEUE_PATIENCE = 5;

/** id -> how to settle the promise of a job the addon holds. */
const pending = new Map();
let lastId = 0;

const desk = new native.Jobs(settle);

// A supervised worker shares the machine with its siblings: all pass one gate, at most as many kernels as cores. Where
// it cannot be joined (the primary is gone, say) the limit is this process's own.
if (process.env.RUSTCLUSTER_KERNEL_GATE) native.joinKernelGate(process.env.RUSTCLUSTER_KERNEL_GATE);

function settle() {
  for (const { id, value, failure, progress } of desk.drain()) {
    const job = pending.get(id);
    pending.delete(id);
    job.unlisten?.();
    const failed = failure !== undefined && failure !== null;
    const callback = job.unwatch?.(failed ? undefined : progress);
    if (callback !== undefined) job.reject(callback.thrown);
    else if (failed) job.reject(toError(failure, job));
    else job.resolve(value);
  }
}

function toError(failure, { signal, trace }) {
  const error = failure.code === 'ABORT_ERR' ? abortError(signal) : fromNative(failure);
  // The stack of the moment a job ends names only this file; the caller wants to know who asked for the job.
  if (trace !== undefined) error.stack = `${error.name}: ${error.message}${trace.stack.slice('Error'.length)}`;
  return error;
}

/**
 * Starts a job.
 * @template T
 * @param {(desk: object, id: number) => object | null} start hands the job to the addon, which answers null, or the
 *   failure when it refuses
 * @param {{ signal?: AbortSignal, caller?: Function, onProgress?: Function }} [options] `caller`: the public function,
 *   whose callers the stack of an error shall show; left out where jobs are so small that taking a stack would cost more
 *   than the job
 * @returns {Promise<T>}
 */
function run(start, { signal, caller, onProgress } = {}) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortError(signal));
      return;
    }
    const job = { resolve, reject, signal, unlisten: undefined, trace: undefined, unwatch: undefined };
    if (caller !== undefined) {
      job.trace = {};
      Error.captureStackTrace(job.trace, caller);
    }
    // A number comes round after 2^32 jobs: by then its namesake has long ended.
    lastId = (lastId + 1) >>> 0;
    const id = lastId;
    const failure = start(desk, id);
    if (failure) {
      reject(toError(failure, job));
      return;
    }
    pending.set(id, job);
    if (onProgress !== undefined) job.unwatch = watch(desk, id, onProgress);
    if (signal !== undefined) job.unlisten = onAbort(signal, () => desk.abort(id));
  });
}

/**
 * As `run`, but waits while the pool's queue is full: a stream has no other way to push back than to wait.
 * @template T
 * @param {(desk: object, id: number) => object | null} start
 * @param {{ signal?: AbortSignal }} [options]
 * @returns {Promise<T>}
 */
async function runWhenThereIsRoom(start, options) {
  for (;;) {
    try {
      return await run(start, options);
    } catch (error) {
      if (error.code !== 'ERR_QUEUE_FULL') throw error;
      await new Promise((resolve) => setTimeout(resolve, QUEUE_PATIENCE));
    }
  }
}

module.exports = { run, runWhenThereIsRoom };
