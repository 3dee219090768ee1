'use strict';
/** Where a store without a path lives: in a folder of the primary's, which every process of the cluster finds by itself. */
const cluster = require('node:cluster');
const fs = require('node:fs');
const os = require('node:os');
const { isMainThread } = require('node:worker_threads');
const { fromNative } = require('../errors.js');

/** Asked once, early: when the primary has died its workers have another parent. */
const PRIMARY = isWorker() ? process.ppid : process.pid;

/** Whether this process was forked by node:cluster. Threads do not see it there: the process's first environment tells. */
function isWorker() {
  if (isMainThread) return cluster.isWorker;
  try {
    return /(^|\0)NODE_UNIQUE_ID=/.test(fs.readFileSync('/proc/self/environ', 'latin1'));
  } catch {
    return false;
  }
}

/** Shared memory first; a folder of the user's choice (RUSTCLUSTER_STORE_DIR) in place of all. */
function candidates() {
  const chosen = process.env.RUSTCLUSTER_STORE_DIR;
  if (chosen) return [chosen];
  return process.platform === 'linux' ? ['/dev/shm', os.tmpdir()] : [os.tmpdir()];
}

/** @returns {string} the folder for stores that die with the primary @throws ERR_STORE_UNAVAILABLE */
function root() {
  removeAtExit();
  // Loaded when a store is opened: `rustcluster/cluster` knows stores, and must work where addons may not be loaded.
  const found = require('../native.js').storeRoot(PRIMARY, candidates());
  if (typeof found === 'string') return found;
  throw fromNative(found);
}

/** On the process, not in this module: jest loads a module many times in one process. */
const REMOVER = Symbol.for('rustcluster.store.remover');

/** A primary that ends in order takes its stores along; one that is killed leaves them to the next start. */
function removeAtExit() {
  if (PRIMARY !== process.pid || !isMainThread || process[REMOVER]) return;
  Object.defineProperty(process, REMOVER, { value: true });
  process.on('exit', () => {
    try {
      require('../native.js').removeStoreRoot(PRIMARY, candidates());
    } catch {
      // Without the addon nobody has made a folder.
    }
  });
}

// Also in a primary whose workers alone open stores.
if (isMainThread && cluster.isPrimary) removeAtExit();

/** Whether this process has a primary to ask. */
const hasPrimary = PRIMARY !== process.pid;

module.exports = { hasPrimary, root };
