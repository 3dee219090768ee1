'use strict';
/** Argument checks: a small vocabulary, so that every message reads alike. Each returns the value or throws. */
const { fileURLToPath } = require('node:url');
const { inspect, types } = require('node:util');
const { createError } = require('./errors.js');

const received = (value) =>
  value === null || value === undefined
    ? String(value)
    : typeof value === 'object'
      ? `an instance of ${value.constructor?.name ?? 'Object'}`
      : `type ${typeof value} (${inspect(value).slice(0, 40)})`;

function typeError(name, expected, value) {
  return createError('ERR_INVALID_ARG_TYPE', `The "${name}" argument must be ${expected}. Received ${received(value)}`);
}

/** @returns {object} the options, `{}` when undefined @throws ERR_INVALID_ARG_TYPE for anything but a plain object */
function object(name, value) {
  if (value === undefined) return {};
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw typeError(name, 'an object', value);
  return value;
}

/**
 * @returns {number} an integer in [min, max], also Infinity where that is `endless`, `fallback` when undefined
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE
 */
function integer(name, value, { min, max = Number.MAX_SAFE_INTEGER, endless = false, fallback }) {
  if (value === undefined) return fallback;
  if (endless && value === Number.POSITIVE_INFINITY) return value;
  if (typeof value !== 'number') throw typeError(name, 'a number', value);
  if (!Number.isInteger(value) || value < min || value > max) {
    const message = `The value of "${name}" is out of range. It must be an integer from ${min} to ${max}. Received ${value}`;
    throw createError('ERR_OUT_OF_RANGE', message);
  }
  return value;
}

/** @returns {Function | undefined} @throws ERR_INVALID_ARG_TYPE for anything that cannot be called */
function callback(name, value) {
  if (value !== undefined && typeof value !== 'function') throw typeError(name, 'a function', value);
  return value;
}

/** @returns {string} one of `known`, `fallback` when undefined @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE */
function oneOf(name, value, known, fallback) {
  if (value === undefined && fallback !== undefined) return fallback;
  if (typeof value !== 'string') throw typeError(name, 'a string', value);
  if (!known.includes(value)) {
    const message = `The "${name}" argument must be one of ${known.map((k) => `'${k}'`).join(', ')}. Received ${inspect(value)}`;
    throw createError('ERR_INVALID_ARG_VALUE', message);
  }
  return value;
}

/** @returns {AbortSignal | undefined} @throws ERR_INVALID_ARG_TYPE for anything that is no AbortSignal */
function abortSignal(name, value) {
  if (value === undefined) return undefined;
  // Duck-typed as Node does it: jest and jsdom bring AbortSignals of another realm.
  if (value === null || typeof value !== 'object' || typeof value.aborted !== 'boolean') {
    throw typeError(name, 'an AbortSignal', value);
  }
  return value;
}

/** @returns {string} the path of a file URL @throws ERR_INVALID_ARG_VALUE where it names none: another host, an escaped slash */
function pathOfUrl(name, url) {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw createError('ERR_INVALID_ARG_VALUE', `The "${name}" argument is no path: ${error.message}`, { cause: error });
  }
}

/** @returns {string} a file path @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a NUL byte */
function path(name, value) {
  const text = value instanceof URL && value.protocol === 'file:' ? pathOfUrl(name, value) : value;
  if (typeof text !== 'string') throw typeError(name, 'a string or a file URL', value);
  if (text === '' || text.includes('\0')) {
    throw createError(
      'ERR_INVALID_ARG_VALUE',
      `The "${name}" argument must be a path without null bytes. Received ${inspect(text)}`,
    );
  }
  return text;
}

/**
 * Bytes as one Uint8Array that native threads may read until the job settles.
 *
 * Shared memory is copied (another thread may write it), so is memory that can shrink under the reader; a detached
 * buffer is refused. Anything else is not copied here.
 * @param {Uint8Array | ArrayBuffer} value any ArrayBufferView or ArrayBuffer
 * @returns {Uint8Array}
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a detached buffer
 */
function bytes(name, value) {
  const isView = ArrayBuffer.isView(value);
  if (!isView && !types.isAnyArrayBuffer(value)) {
    throw typeError(name, 'an instance of Buffer, TypedArray, DataView or ArrayBuffer', value);
  }
  const buffer = isView ? value.buffer : value;
  const whole = isView
    ? () => new Uint8Array(buffer, value.byteOffset, value.byteLength)
    : () => new Uint8Array(buffer);
  let view;
  try {
    // A constructor call is the one test for a detached buffer that every Node line has.
    view = whole();
  } catch {
    throw createError('ERR_INVALID_ARG_VALUE', `The "${name}" argument is detached or out of bounds`);
  }
  return types.isSharedArrayBuffer(buffer) || buffer.resizable ? Uint8Array.from(view) : view;
}

module.exports = { abortSignal, bytes, callback, integer, object, oneOf, path, typeError };
