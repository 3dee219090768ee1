'use strict';
/**
 * Values as bytes and back. What structured clone takes can be stored; strings, numbers and bytes go without it, and what
 * JSON keeps exactly goes as JSON, which is read in a quarter of the time.
 *
 * A tag says how the bytes are read. Rust knows TEXT, NUMBER and JSON (`src/store/record.rs`); tags are part of the file,
 * so a number is never given a second meaning.
 */
const { types } = require('node:util');
const v8 = require('node:v8');
const { refuseUnclonable } = require('../clonable.js');
const { createError } = require('../errors.js');
const { readTexts, scratch, writePlain } = require('../plain.js');

const V8 = 1;
const TEXT = 2;
const BYTES = 3;
const NUMBER = 4;
const JSON_TEXT = 5;
const LONG_TEXTS = 6;

/** Begins JSON: white space to JSON.parse, and what tells it from text where Rust gives both as strings. */
const MARK = 0x0d;

const EMPTY = Buffer.alloc(0);

/**
 * @param {unknown} value anything structured clone takes, but undefined, which stands for "no entry"
 * @returns {{ tag: number, body: string | Uint8Array }} bytes are the caller's own memory, not copied
 * @throws ERR_INVALID_ARG_VALUE for undefined
 * @throws DataCloneError for what cannot be cloned, as structuredClone throws it
 */
function encode(value) {
  switch (typeof value) {
    case 'string':
      // UTF-8 has no lone surrogates: such strings take the way that keeps them.
      if (value.isWellFormed()) return { tag: TEXT, body: value };
      break;
    case 'number': {
      const body = Buffer.allocUnsafe(8);
      body.writeDoubleLE(value);
      return { tag: NUMBER, body };
    }
    case 'undefined':
      throw createError('ERR_INVALID_ARG_VALUE', 'The "value" argument must not be undefined: delete the key instead');
    case 'object':
      if (types.isUint8Array(value)) return { tag: BYTES, body: value };
  }
  const { start, length, hasTexts } = writePlain(value);
  if (length === 0) return { tag: V8, body: serialize(value) };
  if (hasTexts) return { tag: LONG_TEXTS, body: Buffer.from(scratch.subarray(start, start + length)) };
  scratch[start - 1] = MARK;
  return { tag: JSON_TEXT, body: Buffer.from(scratch.subarray(start - 1, start + length)) };
}

/** Whether equal values can have unequal bytes under this tag. */
const isObject = (tag) => tag === V8 || tag === JSON_TEXT || tag === LONG_TEXTS;

function serialize(value) {
  refuseUnclonable(value);
  try {
    return v8.serialize(value);
  } catch (error) {
    // v8 says it with a plain Error; the Web's name for it is the one to catch.
    throw new DOMException(error.message, 'DataCloneError');
  }
}

/**
 * @param {number} tag
 * @param {Buffer} buffer
 * @param {number} start
 * @param {number} end
 * @returns {unknown} a value that shares no memory with `buffer`; bytes come back as a Buffer
 */
function decode(tag, buffer, start, end) {
  switch (tag) {
    case TEXT:
      return buffer.utf8Slice(start, end);
    case NUMBER:
      return buffer.readDoubleLE(start);
    case BYTES:
      return start === end ? EMPTY : Buffer.from(buffer.subarray(start, end));
    case JSON_TEXT:
      return JSON.parse(buffer.utf8Slice(start, end));
    case LONG_TEXTS:
      return readTexts(buffer, start, end);
    case V8:
      return deserialize(buffer.subarray(start, end));
    default:
      throw createError('ERR_STORE_CORRUPT', `The store holds a value of kind ${tag}, which this version cannot read`);
  }
}

/**
 * Typed arrays and Buffers are given memory of their own. As v8's own makes them they look into what is read, which may be
 * used again, and their `buffer` is all of it.
 */
class Deserializer extends v8.DefaultDeserializer {
  _readHostObject() {
    const view = super._readHostObject();
    if (Buffer.isBuffer(view)) return Buffer.from(view);
    if (types.isDataView(view)) {
      return new DataView(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
    }
    return view.slice();
  }
}

function deserialize(bytes) {
  const deserializer = new Deserializer(bytes);
  deserializer.readHeader();
  return deserializer.readValue();
}

/** Whether two bodies hold the same. */
function sameBytes(one, other) {
  if (typeof one === 'string' || typeof other === 'string') return one === other;
  return Buffer.compare(one, other) === 0;
}

/** What a function threw, for another process. Properties of an error's own are lost but `code`. */
function encodeError(thrown) {
  const isError = types.isNativeError(thrown) || thrown instanceof Error;
  const plain = isError
    ? { error: { name: thrown.name, message: thrown.message, stack: thrown.stack, code: thrown.code } }
    : { thrown };
  try {
    return v8.serialize(plain);
  } catch {
    return v8.serialize({ error: { name: 'Error', message: String(isError ? thrown.message : thrown) } });
  }
}

/** @param {Uint8Array} bytes @returns {unknown} what to throw */
function decodeError(bytes) {
  const { error, thrown } = v8.deserialize(Uint8Array.from(bytes));
  if (error === undefined) return thrown;
  const { name, message, stack, code } = error;
  const copy = new Error(message);
  for (const [key, value] of Object.entries({ name, stack })) {
    if (typeof value === 'string') Object.defineProperty(copy, key, { value, configurable: true, writable: true });
  }
  return code === undefined ? copy : Object.assign(copy, { code });
}

module.exports = { decode, decodeError, encode, encodeError, isObject, MARK, sameBytes };
