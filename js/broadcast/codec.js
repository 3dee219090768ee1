'use strict';
/**
 * Values as bytes and back. Bytes and strings travel as they are, what JSON keeps exactly as JSON (plain.js), which is
 * cheapest for small objects, and everything else as v8's structured clone.
 */
const { types } = require('node:util');
const v8 = require('node:v8');
const { cloneError, refuseUnclonable } = require('../clonable.js');
const { createError } = require('../errors.js');
const { isBusy, readTexts, scratch, writePlain } = require('../plain.js');
const { litter } = require('./litter.js');

const Kind = Object.freeze({
  ASCII: 1,
  UTF16: 2,
  JSON_ASCII: 3,
  JSON: 4,
  V8: 5,
  ARRAY_BUFFER: 6,
  DATA_VIEW: 7,
  V8_PLAIN: 8,
  TEXTS: 9,
  VIEW: 16,
});

/** VIEW and an index in here: a typed array. */
const VIEWS = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
];
const viewName = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;
const VIEW_NAMES = VIEWS.map(({ name }) => name);

/** Above so many characters of text beyond ASCII v8 costs less, which copies strings where JSON looks at each character. */
const LONG_TEXT = 4096;
const SHORT_TEXT = 64;
/** Texts of more characters get memory of their own, which is let go of. */
const MOST_KEPT = 1 << 20;

let large = scratch;
/** What `encode` gives: one object for all calls, valid until the next one. */
const encoded = { kind: 0, buffer: scratch, start: 0, length: 0 };

/**
 * @param {unknown} value
 * @returns {{ kind: number, buffer: Uint8Array, start: number, length: number }} valid until the next call
 * @throws DataCloneError for what structured clone refuses, and for what cannot leave its process
 */
function encode(value) {
  if (typeof value === 'string') return encodeText(value);
  if (typeof value === 'object' && value !== null) {
    if (ArrayBuffer.isView(value)) return encodeView(value);
    if (types.isAnyArrayBuffer(value)) {
      // One that can be resized is to arrive as one that can.
      return attached(value).resizable ? encodeClone(value) : give(Kind.ARRAY_BUFFER, new Uint8Array(value));
    }
  }
  const { isExact, start, length, hasTexts, isAscii } = writePlain(value);
  if (length > 0) return give(hasTexts ? Kind.TEXTS : isAscii ? Kind.JSON_ASCII : Kind.JSON, scratch, length, start);
  if (!isExact) return encodeClone(value);
  // Long texts beyond ASCII.
  const json = JSON.stringify(value);
  if (json.length > LONG_TEXT) return give(Kind.V8_PLAIN, v8.serialize(value));
  return give(Kind.JSON, Buffer.from(json));
}

function give(kind, buffer, length = buffer.length, start = 0) {
  encoded.kind = kind;
  encoded.buffer = buffer;
  encoded.start = start;
  encoded.length = length;
  return encoded;
}

/** One byte a character where that is enough; else two, since a text may hold lone surrogates. */
function encodeText(text) {
  const { length } = text;
  if (isBusy() || length * 3 > MOST_KEPT) return encodeLongText(text);
  if (length <= SHORT_TEXT && isShortAscii(text)) return give(Kind.ASCII, scratch, length);
  let room = scratch;
  if (length * 3 > scratch.length) {
    if (length * 3 > large.length) large = Buffer.allocUnsafeSlow(length * 3);
    room = large;
  }
  if (room.utf8Write(text, 0, length * 3) === length) return give(Kind.ASCII, room, length);
  return give(Kind.UTF16, room, room.ucs2Write(text, 0, length * 2));
}

/** Writes it, too: for few characters that is cheaper than to call out. */
function isShortAscii(text) {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return false;
    scratch[i] = code;
  }
  return true;
}

function encodeLongText(text) {
  const bytes = Buffer.from(text, 'utf8');
  return bytes.length === text.length ? give(Kind.ASCII, bytes) : give(Kind.UTF16, Buffer.from(text, 'utf16le'));
}

function encodeView(view) {
  const { buffer } = view;
  const index = view instanceof Uint8Array ? 0 : VIEW_NAMES.indexOf(Reflect.apply(viewName, view, []));
  if (attached(buffer).resizable) return encodeClone(view);
  if (index === 0) return give(Kind.VIEW, view);
  const bytes = new Uint8Array(buffer, view.byteOffset, view.byteLength);
  // A kind of view that this table does not know (Float16Array) is v8's to deal with.
  if (index < 0 && !types.isDataView(view)) return encodeClone(view);
  return give(index < 0 ? Kind.DATA_VIEW : Kind.VIEW + index, bytes);
}

function attached(buffer) {
  if (types.isSharedArrayBuffer(buffer)) throw cloneError('A SharedArrayBuffer cannot leave its process');
  if (buffer.byteLength === 0 && (buffer.detached ?? isDetached(buffer))) {
    throw cloneError('An ArrayBuffer is detached and could not be cloned.');
  }
  return buffer;
}

/** Node 20 does not tell. */
function isDetached(buffer) {
  try {
    return new Uint8Array(buffer) === undefined;
  } catch {
    return true;
  }
}

/**
 * By v8's plain serializer, as Node's structured clone: views of one buffer stay so, and a Buffer becomes a Uint8Array.
 * What `v8.serialize` uses copies each view for itself.
 */
function encodeClone(value) {
  refuseUnclonable(value, attached);
  try {
    const serializer = new v8.Serializer();
    serializer.writeHeader();
    serializer.writeValue(value);
    const bytes = serializer.releaseBuffer();
    litter(bytes.length);
    return give(Kind.V8, bytes);
  } catch (error) {
    // A getter of the value's own has thrown, as structured clone lets it.
    if (!/could not be cloned|Unserializable|detached/.test(error?.message ?? '')) throw error;
    throw cloneError(error.message);
  }
}

/**
 * @param {number} kind
 * @param {Buffer} buffer is the caller's: nothing of it is kept
 * @param {number} start
 * @param {number} end
 * @returns {unknown}
 * @throws ERR_BROADCAST_CORRUPT when the bytes are none of ours
 */
function decode(kind, buffer, start, end) {
  try {
    switch (kind) {
      case Kind.ASCII:
        return buffer.latin1Slice(start, end);
      case Kind.UTF16:
        return buffer.ucs2Slice(start, end);
      case Kind.JSON_ASCII:
        return JSON.parse(buffer.latin1Slice(start, end));
      case Kind.JSON:
        return JSON.parse(buffer.utf8Slice(start, end));
      case Kind.TEXTS:
        return readTexts(buffer, start, end);
      case Kind.V8:
      case Kind.V8_PLAIN:
        litter(end - start);
        // Copies what it keeps: no view in it is of the kind that v8.deserialize would make into what it reads.
        return v8.deserialize(buffer.subarray(start, end));
      case Kind.ARRAY_BUFFER:
        return copy(buffer, start, end);
      case Kind.DATA_VIEW:
        return new DataView(copy(buffer, start, end));
      default:
        return new VIEWS[kind - Kind.VIEW](copy(buffer, start, end));
    }
  } catch (cause) {
    throw createError('ERR_BROADCAST_CORRUPT', `A message could not be deserialised: ${cause.message}`, { cause });
  }
}

const { slice } = Uint8Array.prototype;

/** @returns {ArrayBuffer} */
function copy(buffer, start, end) {
  litter(end - start);
  // Not Buffer's own slice(), which shares its memory; of a Buffer the copy would come from a pool.
  const view = new Uint8Array(buffer.buffer, buffer.byteOffset + start, end - start);
  return Reflect.apply(slice, view, []).buffer;
}

module.exports = { decode, encode, Kind };
