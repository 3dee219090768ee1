'use strict';
/** Opens files of one folder, and of no other place on earth. */
const { constants } = require('node:fs');
const { open, realpath } = require('node:fs/promises');
const path = require('node:path');
const { HttpError } = require('./http-error.js');

const ROOT = path.join(__dirname, '..', 'public');

const notFound = () => new HttpError(404, 'ENOENT', 'No such file');
const forbidden = (why) => new HttpError(403, 'ERR_FORBIDDEN', why);

/** What opening says, as HTTP has it. O_NOFOLLOW answers ELOOP for a symbolic link. */
const failures = {
  ENOENT: notFound,
  ENOTDIR: notFound,
  ENAMETOOLONG: notFound,
  ELOOP: () => forbidden('Symbolic links are not followed'),
  EISDIR: () => forbidden('Not a file'),
  ENXIO: () => forbidden('Not a file'),
  EACCES: () => forbidden('Not readable'),
};

/** @throws HttpError 400 for what can be no name, 403 for a name that leads elsewhere or is hidden */
function checkName(name) {
  if (name === '' || name.includes('\0')) throw new HttpError(400, 'ERR_INVALID_NAME', 'Not a file name');
  // Still encoded means that it could not be decoded, or was encoded twice to slip through.
  if (/%[0-9a-f]{2}/i.test(name) || /%(?![0-9a-f]{2})/i.test(name)) {
    throw new HttpError(400, 'ERR_INVALID_NAME', 'Badly encoded file name');
  }
  if (/[/\\]/.test(name) || name === '..' || name === '.') throw forbidden('Only files of the public folder');
  if (name.startsWith('.')) throw forbidden('Hidden files are not served');
}

/**
 * Opens a regular file of the public folder for reading.
 * @param {string} name as the router decoded it
 * @returns {Promise<import('node:fs/promises').FileHandle>} the caller closes it
 * @throws HttpError 400, 403, 404
 */
async function openPublic(name) {
  checkName(name);
  const file = path.join(ROOT, name);
  let handle;
  try {
    // NONBLOCK: opening a FIFO would otherwise wait for its writer, for ever.
    handle = await open(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw failures[error.code]?.() ?? error;
  }
  try {
    if (!(await handle.stat()).isFile()) throw forbidden('Not a file');
    // For systems without O_NOFOLLOW, and for a file system that takes two names for one.
    if ((await realpath(file)) !== path.join(await realpath(ROOT), name)) throw forbidden('Only files of this folder');
    return handle;
  } catch (error) {
    await handle.close();
    throw failures[error.code]?.() ?? error;
  }
}

/**
 * A path to what is open, for functions that take a path: nobody can put another file there meanwhile.
 * @param {import('node:fs/promises').FileHandle} handle
 * @param {string} name what was opened, for systems without /proc
 */
function pathOf(handle, name) {
  return process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : path.join(ROOT, name);
}

module.exports = { ROOT, openPublic, pathOf };
