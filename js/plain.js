'use strict';
/**
 * Plain values as JSON, written straight into memory that the addon reads: one walk that looks whether JSON keeps a value
 * exactly (what JSON.parse makes of it is what structured clone would) and writes it. Long texts are put behind the JSON
 * as they are: JSON looks at each of their characters, once here and once at every reader.
 */
const { isProxy } = require('node:util').types;

/** Deeper or wider values go another way: looking at them would cost more than it saves. */
const DEEPEST = 16;
const LONGEST_ARRAY = 64;
const MOST_OBJECTS = 24;
/** Up to so many characters a string is written here, one by one; above, to call out is cheaper. */
const SHORT = 128;

/** The memory, and where what is being written begins: a byte is kept free before it, see `writePlain`. */
const scratch = Buffer.allocUnsafeSlow(256 * 1024);
/** Strings that do not fit in what is left go another way; short ones and punctuation always fit. */
const ROOM = scratch.length - 4096;
/** Of the directory of texts: where the JSON ends, and whether it has other characters than ASCII. */
const TRAILER = 4;
const WIDE = 0x80000000;

const { getPrototypeOf } = Object;
const isOwn = Object.prototype.hasOwnProperty;

/** What the last `writePlain` came to; what was written begins at `start` in `scratch`. */
const written = { isExact: false, start: 0, length: 0, hasTexts: false, isAscii: true };

let at = 0;
let isAscii = true;
/** Objects met so far: one met twice is one object to structured clone, and two to JSON. */
const met = [];
/** Under which keys the walk has come to where it is. */
const path = [];
/** Long texts and the paths to them. */
const texts = [];
const places = [];
let busy = false;

/**
 * Writes a value into `scratch`.
 * @param {unknown} value
 * @returns {{ isExact: boolean, start: number, length: number, hasTexts: boolean, isAscii: boolean }} valid until the next
 *   call. `isExact`: JSON would keep the value; `length` 0: it was not written all the same. With `hasTexts` what was
 *   written is `[value, path, length, ...]` in JSON, the texts, and 4 bytes that say where the JSON ends
 */
function writePlain(value) {
  written.isExact = false;
  written.length = 0;
  // A getter of the value's own may send something, too: that goes another way.
  if (busy || Object.prototype.toJSON !== undefined || Array.prototype.toJSON !== undefined) return written;
  busy = true;
  isAscii = true;
  scratch[0] = 0x5b; // [
  at = 1;
  let isWritten = false;
  try {
    isWritten = write(value, 0);
    written.isExact = isWritten;
    written.hasTexts = texts.length > 0;
    if (isWritten && written.hasTexts) isWritten = writeTexts();
  } finally {
    met.length = 0;
    texts.length = 0;
    places.length = 0;
    busy = false;
  }
  written.start = written.hasTexts ? 0 : 1;
  if (isWritten) written.length = at - written.start;
  written.isAscii = isAscii;
  return written;
}

/** Whether `scratch` is in use: a value's getter has called us. */
const isBusy = () => busy;

/** @returns {boolean} false: JSON does not keep it, or there is no room */
function write(value, depth) {
  switch (typeof value) {
    case 'string':
      return writeText(value, depth);
    case 'number':
      return writeNumber(value);
    case 'boolean':
      writeWord(value ? 'true' : 'false');
      return true;
    case 'object':
      if (value !== null) return writeObject(value, depth);
      writeWord('null');
      return true;
    default:
      return false;
  }
}

function writeObject(value, depth) {
  if (depth === DEEPEST || met.length === MOST_OBJECTS || met.includes(value) || isProxy(value)) return false;
  met.push(value);
  const prototype = getPrototypeOf(value);
  if (Array.isArray(value)) return prototype === Array.prototype && writeArray(value, depth);
  if (prototype !== Object.prototype && prototype !== null) return false;
  // Plain to look at, and yet more than that: `arguments`, and what is no plain object but for its prototype.
  if (value[Symbol.toStringTag] !== undefined) return false;
  scratch[at++] = 0x7b; // {
  let first = true;
  // Cheaper than keys(), and what somebody has added to Object.prototype is not the object's own.
  for (const key in value) {
    if (!isOwn.call(value, key)) continue;
    if (at > ROOM) return false;
    if (!first) scratch[at++] = 0x2c; // ,
    first = false;
    // Nothing could be put under this key at the other end but by defining it.
    if (key === '__proto__') return false;
    path[depth] = key;
    writeString(key);
    scratch[at++] = 0x3a; // :
    if (!write(value[key], depth + 1)) return false;
  }
  scratch[at++] = 0x7d; // }
  return true;
}

function writeArray(value, depth) {
  const { length } = value;
  // As many keys as elements: no holes, and nothing beside the elements.
  if (length > LONGEST_ARRAY || Object.keys(value).length !== length) return false;
  scratch[at++] = 0x5b; // [
  for (let i = 0; i < length; i++) {
    if (i > 0) scratch[at++] = 0x2c; // ,
    if (at > ROOM) return false;
    path[depth] = i;
    if (!write(value[i], depth + 1)) return false;
  }
  scratch[at++] = 0x5d; // ]
  return true;
}

function writeNumber(value) {
  if (value >= 0 && value < 10 && (value | 0) === value && !Object.is(value, -0)) {
    scratch[at++] = 0x30 + value;
    return true;
  }
  if (!Number.isFinite(value) || Object.is(value, -0)) return false;
  writeWord(`${value}`);
  return true;
}

function writeWord(word) {
  for (let i = 0; i < word.length; i++) scratch[at++] = word.charCodeAt(i);
}

function writeText(text, depth) {
  if (text.length <= SHORT || depth === 0) {
    if (at + 6 * text.length > ROOM) return false;
    writeString(text);
    return true;
  }
  texts.push(text);
  places.push(depth === 1 ? path[0] : path.slice(0, depth));
  writeWord('""');
  return true;
}

/** A string in JSON; that there is room has been seen to. */
function writeString(text) {
  const { length } = text;
  if (length > SHORT) return writeEscaped(text);
  let end = at;
  scratch[end++] = 0x22; // "
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x22 || code === 0x5c || code > 0x7e) return writeEscaped(text);
    scratch[end++] = code;
  }
  scratch[end++] = 0x22;
  at = end;
}

function writeEscaped(text) {
  const json = JSON.stringify(text);
  const bytes = scratch.utf8Write(json, at, scratch.length - at);
  if (bytes !== json.length) isAscii = false;
  at += bytes;
}

/** The paths and lengths of the texts, then the texts. @returns {boolean} false: they are not all ASCII, or too long */
function writeTexts() {
  for (let i = 0; i < texts.length; i++) {
    if (at > ROOM) return false;
    const place = places[i];
    scratch[at++] = 0x2c; // ,
    if (typeof place === 'string') {
      if (at + 6 * place.length > ROOM) return false;
      writeString(place);
    } else {
      const json = JSON.stringify(place);
      if (at + 3 * json.length > ROOM) return false;
      const bytes = scratch.utf8Write(json, at, scratch.length - at);
      if (bytes !== json.length) isAscii = false;
      at += bytes;
    }
    scratch[at++] = 0x2c;
    writeWord(`${texts[i].length}`);
  }
  scratch[at++] = 0x5d; // ]
  const end = at;
  for (const text of texts) {
    if (at + text.length + 2 * TRAILER > scratch.length) return false;
    // What is not ASCII takes more bytes than characters, also when it is cut where the room given ends.
    if (scratch.utf8Write(text, at, text.length + TRAILER) !== text.length) return false;
    at += text.length;
  }
  at = scratch.writeUInt32LE((isAscii ? end : end | WIDE) >>> 0, at);
  return true;
}

/**
 * Reads what was written with texts.
 * @param {Buffer} buffer
 * @param {number} start
 * @param {number} end
 * @returns {unknown} the value
 * @throws when the bytes are none of ours
 */
function readTexts(buffer, start, end) {
  const word = buffer.readUInt32LE(end - TRAILER);
  let from = start + (word & ~WIDE);
  const list = JSON.parse(word >= WIDE ? buffer.utf8Slice(start, from) : buffer.latin1Slice(start, from));
  const [value] = list;
  for (let i = 1; i < list.length; i += 2) {
    const place = list[i];
    const to = from + list[i + 1];
    if (!(to <= end - TRAILER)) throw new RangeError('A text ends behind its message');
    const text = buffer.latin1Slice(from, to);
    from = to;
    if (typeof place === 'object') put(value, place, text);
    else value[place] = text;
  }
  return value;
}

function put(value, keys, text) {
  let holder = value;
  for (let i = 0; i < keys.length - 1; i++) holder = holder[keys[i]];
  holder[keys.at(-1)] = text;
}

module.exports = { isBusy, readTexts, scratch, writePlain };
