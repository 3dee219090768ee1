'use strict';
/** `createHash` as a stream whose concurrent instances share SIMD lanes. */
const { setImmediate } = require('node:timers');
const { Transform } = require('node:stream');
const { fromNative } = require('../errors.js');
const native = require('../native.js');
const { bytes } = require('../options.js');
const { runWhenThereIsRoom } = require('./jobs.js');

/** A batch of this many streams fills the widest lanes: it does not wait for the one before it. */
const FULL = 16;
/** What a stream buffers while its batch is under way: more than one chunk of a file, so that crossings are few. */
const HIGH_WATER_MARK = 256 * 1024;

/** Chunks of fewer bytes than this are joined: each that crosses costs some. Joining large ones costs more. */
const JOIN_BELOW = 8 * 1024;

/** Chunks of several streams that go to Rust together. */
let waiting = [];
let underWay = 0;
let scheduled = false;

function feed(state, chunks, callback) {
  waiting.push({ state, chunks, callback });
  if (!scheduled) {
    scheduled = true;
    // Streams that are fed in the same turn of the event loop share the batch.
    setImmediate(send);
  }
}

/** What of a stream's chunks crosses into Rust. */
function pieces(chunks) {
  let size = 0;
  for (const { length } of chunks) size += length;
  return chunks.length > 1 && size < JOIN_BELOW * chunks.length ? [Buffer.concat(chunks, size)] : chunks;
}

function send() {
  scheduled = false;
  // While a batch is under way more streams gather, which is what fills the lanes of the next.
  if (waiting.length === 0 || (underWay > 0 && waiting.length < FULL)) return;
  const batch = waiting;
  waiting = [];
  underWay += 1;
  const states = [];
  const counts = [];
  const chunks = [];
  for (const { state, chunks: own } of batch) {
    const parts = pieces(own);
    states.push(state);
    counts.push(parts.length);
    for (const part of parts) chunks.push(part);
  }
  const finish = (error) => {
    underWay -= 1;
    for (const { callback } of batch) callback(error);
    if (waiting.length > 0 && !scheduled) send();
  };
  const start = (desk, id) => desk.hashUpdate(id, states, counts, chunks);
  runWhenThereIsRoom(start).then(() => finish(), finish);
}

/** What `createHash` returns; made by it alone. */
class Hash extends Transform {
  #state;

  constructor(algorithm, options) {
    super({ writableHighWaterMark: HIGH_WATER_MARK, ...options });
    this.#state = new native.HashState(algorithm);
  }

  _transform(chunk, _encoding, callback) {
    // An empty chunk changes nothing; a stream in object mode may bring what is no chunk at all.
    this.#feed([chunk], callback);
  }

  /** All that was buffered while a batch was under way goes in one. */
  _writev(entries, callback) {
    this.#feed(
      entries.map(({ chunk }) => chunk),
      callback,
    );
  }

  #feed(chunks, callback) {
    try {
      feed(
        this.#state,
        chunks.map((chunk) => bytes('chunk', chunk)),
        callback,
      );
    } catch (error) {
      callback(error);
    }
  }

  _flush(callback) {
    const digest = this.#state.digest();
    if (Buffer.isBuffer(digest)) callback(null, digest);
    else callback(fromNative(digest));
  }
}

module.exports = { Hash };
