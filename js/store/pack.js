'use strict';
/** Several keys and values in one buffer, as `src/binding/store/pack.rs` reads and writes them. */
const { decode } = require('./codec.js');

/**
 * @param {{ key: string, tag: number, body: string | Uint8Array, ttl: number }[]} entries ttl in milliseconds, 0: no end
 * @returns {Buffer}
 */
function packEntries(entries) {
  const parts = entries.map(({ key, tag, body, ttl }) => ({
    key: Buffer.from(key),
    tag,
    ttl,
    body: typeof body === 'string' ? Buffer.from(body) : body,
  }));
  const packed = Buffer.allocUnsafe(parts.reduce((sum, { key, body }) => sum + key.length + body.length + 17, 0));
  let at = 0;
  for (const { key, tag, body, ttl } of parts) {
    at = packed.writeUInt32LE(key.length, at);
    packed.set(key, at);
    at = packed.writeDoubleLE(ttl, at + key.length);
    at = packed.writeUInt32LE(body.length + 1, at);
    packed[at] = tag;
    packed.set(body, at + 1);
    at += 1 + body.length;
  }
  return packed;
}

/** @returns {unknown[]} the values, undefined where there is none */
function unpackValues(packed) {
  const values = [];
  for (let at = 0; at < packed.length; ) at = value(packed, at, values);
  return values;
}

/** @returns {string[]} */
function unpackKeys(packed) {
  const keys = [];
  for (let at = 0; at < packed.length; ) at = key(packed, at, keys);
  return keys;
}

/** @returns {[string, unknown][]} */
function unpackEntries(packed) {
  const [keys, values] = [[], []];
  for (let at = 0; at < packed.length; ) at = value(packed, key(packed, at, keys), values);
  return keys.map((name, index) => [name, values[index]]);
}

function key(packed, at, list) {
  const end = at + 4 + packed.readUInt32LE(at);
  list.push(packed.utf8Slice(at + 4, end));
  return end;
}

function value(packed, at, list) {
  const end = at + 4 + packed.readUInt32LE(at);
  list.push(end === at + 4 ? undefined : decode(packed[at + 4], packed, at + 5, end));
  return end;
}

module.exports = { packEntries, unpackEntries, unpackKeys, unpackValues };
