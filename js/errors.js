'use strict';
/**
 * The one table of error codes: code -> [class, what it means]. docs/errors.md and the types list the same codes, and
 * a test compares them both ways. Codes that begin with a capital E and have no underscore (ENOENT, EISDIR, ...) are
 * the operating system's and look like Node's own system errors.
 */
const { getSystemErrorMap } = require('node:util');

const table = {
  ERR_INVALID_ARG_TYPE: [TypeError, 'An argument has the wrong type'],
  ERR_INVALID_ARG_VALUE: [TypeError, 'An argument has a value the function does not know'],
  ERR_INVALID_THIS: [TypeError, 'A method was called without the object it belongs to'],
  ERR_OUT_OF_RANGE: [RangeError, 'A number lies outside its range'],
  ERR_IMAGE_CORRUPT: [Error, 'The image breaks the rules of its format or ends too early'],
  ERR_IMAGE_UNSUPPORTED: [Error, 'Not an image, or of a kind that cannot be read and written back'],
  ERR_IMAGE_TOO_LARGE: [Error, 'The header announces more pixels than maxPixels'],
  ERR_NOT_LOSSLESS: [Error, "lossless: 'require' was asked for and this image cannot be flipped without loss"],
  ERR_GZIP_CORRUPT: [Error, 'Not gzip data, or data that break its rules or do not match their checksum'],
  ERR_GZIP_TRUNCATED: [Error, 'The gzip data end before their last member does'],
  ERR_BUFFER_TOO_LARGE: [RangeError, 'The output would be larger than maxOutputLength'],
  ERR_QUEUE_FULL: [Error, 'More kernel jobs are waiting than maxQueue'],
  ERR_STORE_FULL: [Error, 'The store has no room left, or an entry is larger than the store'],
  ERR_STORE_CORRUPT: [Error, "The store's file breaks the rules of its format; it was left as it is"],
  ERR_STORE_FOREIGN: [Error, 'What lies at the path is not a store of this package; it was left as it is'],
  ERR_STORE_NOT_NUMBER: [Error, 'incr was asked of an entry that is not a number'],
  ERR_STORE_CLOSED: [Error, 'The store was closed'],
  ERR_STORE_UNAVAILABLE: [Error, 'There is no place for the store, or not by the way that was asked for'],
  ABORT_ERR: [Error, 'The AbortSignal was aborted; `cause` holds its reason'],
  ERR_WORKER_START: [Error, 'A worker did not become ready'],
  ERR_RELOAD_REFUSED: [Error, 'A reload was refused; the workers that ran before still run'],
  ERR_CRASH_LOOP: [Error, 'Workers crashed at start too many times in a row'],
  ERR_SUPERVISOR_STATE: [Error, 'The supervisor is stopping or the process is not a primary'],
  ERR_CONTROL_SOCKET: [Error, 'The control socket cannot be opened at its path'],
  ERR_NOT_RUNNING: [Error, 'No supervisor answers to what was asked of it'],
  ERR_BROADCAST_FULL: [Error, 'The ring has no room: somebody has not read yet what is in it'],
  ERR_BROADCAST_MISSED: [Error, 'Messages were overwritten before this process read them; `missed` says how many'],
  ERR_BROADCAST_MEMORY: [Error, 'The memory that processes share for broadcasts could not be opened'],
  ERR_BROADCAST_CORRUPT: [Error, 'A message could not be deserialised'],
  ERR_NATIVE_LOAD: [Error, 'The native addon could not be loaded'],
  ERR_INTERNAL: [Error, 'A bug in rustcluster: please report it'],
};

/** The stable codes, in the order of the table. */
const codes = Object.freeze(Object.keys(table));

/**
 * Makes an error with a stable code.
 * @param {string} code one of `codes`
 * @param {string} message what went wrong, in a sentence
 * @param {{ cause?: unknown, [property: string]: unknown }} [properties] copied onto the error
 * @returns {Error & { code: string }} of the class the table names
 */
function createError(code, message, properties = {}) {
  const { cause, ...rest } = properties;
  const error = new table[code][0](message, cause === undefined ? undefined : { cause });
  if (code === 'ABORT_ERR') error.name = 'AbortError';
  return Object.assign(error, { code }, rest);
}

/** The error Node's own APIs give for an aborted signal: name AbortError, code ABORT_ERR, cause the signal's reason. */
function abortError(signal) {
  return createError('ABORT_ERR', 'The operation was aborted', { cause: signal?.reason });
}

/**
 * Turns what the addon reports into an error: a coded one, or one with the shape of Node's system errors.
 * @param {{ code?: string, message: string, errno?: number, syscall?: string, path?: string }} failure
 */
function fromNative({ code, message, errno, syscall, path }) {
  if (code !== undefined) return createError(Object.hasOwn(table, code) ? code : 'ERR_INTERNAL', message);
  const [name, description] = getSystemErrorMap().get(-errno) ?? ['UNKNOWN', message];
  const error = new Error(`${name}: ${description}, ${syscall}${path === undefined ? '' : ` '${path}'`}`);
  return Object.assign(error, { code: name, errno: -errno, syscall }, path === undefined ? {} : { path });
}

module.exports = { abortError, codes, createError, fromNative, table };
