'use strict';
const path = require('node:path');
const { isMainThread } = require('node:worker_threads');
const { createError } = require('../errors.js');
const { oneOf } = require('../options.js');
const check = require('./check.js');
const { localBackend, remoteBackend, threadBackend } = require('./ipc.js');
const place = require('./place.js');
const { Store } = require('./store.js');

/**
 * Opens a key-value store that all processes of a cluster share: the primary, its workers and their threads. Whoever
 * opens the same name has the same entries.
 *
 * Without `path` the entries live in shared memory, or in the temporary folder where there is none, and die with the
 * primary. With it they are files that outlive it.
 * @param {string} name letters, digits, `_`, `-`, `.`; up to 100
 * @param {object} [options] the same for all who open it
 * @param {string} [options.path] the folder in which the store's own folder is, made if need be; a local file system
 * @param {boolean} [options.durable] a write is acknowledged once it is on the disk; default true with a path. Without,
 *   acknowledged writes outlive the death of every process, but the file may be lost with the machine's power
 * @param {number} [options.maxSize] bytes that the entries may take, 65,536 at least; default 268,435,456
 * @param {'none' | 'lru'} [options.eviction] what a full store does: refuse with ERR_STORE_FULL (default), or evict what
 *   was not used lately
 * @returns {import('./types').Store}
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE (also when it is open with other options), ERR_OUT_OF_RANGE
 * @throws ERR_STORE_CORRUPT, ERR_STORE_FOREIGN for a file that cannot be used; it stays as it is
 * @throws ERR_STORE_FULL when there is not even room to begin; ERR_STORE_UNAVAILABLE where there is no place for it
 * @example
 * const store = openStore('app');
 * await store.set('greeting', { text: 'hello' }, { ttl: 60_000 });
 * store.getSync('greeting'); // in any worker
 */
function openStore(name, options) {
  check.storeName(name);
  const { redis, path: folder, ...settings } = check.storeOptions(options);
  if (redis !== undefined) return new Store(name, require('./redis.js').redisBackend(name, redis));
  return new Store(name, backend(name, folder, settings));
}

/** What the system says where there is no memory that processes can map and lock together. */
const NO_SHARED_MEMORY = new Set([
  'ERR_NATIVE_LOAD',
  'ERR_STORE_UNAVAILABLE',
  'ENOSYS',
  'ENODEV',
  'ENOLCK',
  'EOPNOTSUPP',
  'EINVAL',
]);

function shared(settings) {
  const { SharedBackend } = require('./shared.js');
  return new SharedBackend(settings);
}

function backend(name, folder, settings) {
  // For tests, and for those who know that memory is not shared: 'shared' never falls back, 'ipc' does so at once.
  const transport = oneOf('RUSTCLUSTER_STORE', process.env.RUSTCLUSTER_STORE || 'auto', ['auto', 'shared', 'ipc']);
  if (folder !== undefined) {
    if (transport !== 'ipc') return shared({ ...settings, path: path.join(path.resolve(folder), name) });
    throw createError('ERR_STORE_UNAVAILABLE', 'A store with a path needs RUSTCLUSTER_STORE to be other than ipc');
  }
  if (transport !== 'ipc') {
    try {
      return shared({ ...settings, path: path.join(place.root(), name) });
    } catch (error) {
      if (transport === 'shared' || !NO_SHARED_MEMORY.has(error.code)) throw error;
    }
  }
  if (!isMainThread) return threadBackend(name, settings);
  return place.hasPrimary ? remoteBackend(name, settings) : localBackend(name, settings);
}

module.exports = { openStore };
