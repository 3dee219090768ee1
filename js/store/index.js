'use strict';
const path = require('node:path');
const check = require('./check.js');
const place = require('./place.js');
const { SharedBackend } = require('./shared.js');
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
  const { path: folder, ...settings } = check.storeOptions(options);
  const own = path.join(folder === undefined ? place.root() : path.resolve(folder), name);
  return new Store(name, new SharedBackend({ ...settings, path: own }));
}

module.exports = { openStore };
