'use strict';
/**
 * The store's entries in one process, for where processes cannot share memory: the primary holds them, its workers ask it
 * (ipc.js). Entries are kept as encode.js writes them, so that every reader gets a copy of its own.
 */
const { createError } = require('../errors.js');
const { decode, encode, sameBytes } = require('./codec.js');

/** What an entry takes besides its bytes; src/store/record.rs counts alike. */
const OVERHEAD = 17;
/** Expired entries are looked for this often, in milliseconds. */
const TICK = 1000;
const [RUN, WAIT, PRESENT] = [0, 1, 2];
const THROWN = 2;
const [OVER, RUNNING, FAILED] = [0, 1, 2];
/** How long an error waits for those who ask for it, in milliseconds. */
const ERROR_KEPT = 10_000;

class Memory {
  /** key -> { tag, body, expires }; the least recently used first where entries may be evicted. */
  #entries = new Map();
  /** key -> { owner, token, error, until } of a running getOrSet. */
  #flights = new Map();
  #taken = 0;
  #settings;
  #timer;

  constructor(settings) {
    this.#settings = settings;
    this.#timer = setInterval(() => this.#sweep(), TICK);
    this.#timer.unref();
  }

  raw(key) {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expires <= Date.now()) return undefined;
    if (this.#settings.evict) {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
    return { tag: entry.tag, body: entry.body };
  }

  rawMany(keys) {
    return keys.map((key) => this.raw(key));
  }

  has(key) {
    return this.raw(key) !== undefined;
  }

  ttl(key) {
    return this.raw(key) === undefined ? -1 : this.#entries.get(key).expires - Date.now();
  }

  size() {
    this.#sweep();
    return this.#entries.size;
  }

  /** @returns {[string, object][]} sorted as their UTF-8 is */
  scan(prefix, after, limit) {
    const keys = [...this.#entries.keys()].filter((key) => key.startsWith(prefix)).sort(byBytes);
    const from = after === undefined ? 0 : keys.findIndex((key) => byBytes(key, after) > 0);
    if (from < 0) return [];
    const found = [];
    for (let at = from; at < keys.length && found.length < limit; at++) {
      const raw = this.raw(keys[at]);
      if (raw !== undefined) found.push([keys[at], raw]);
    }
    return found;
  }

  set(key, raw, ttl) {
    this.setMany([{ key, ...raw, ttl }]);
    return 0;
  }

  setMany(entries) {
    const need = entries.reduce((sum, { key, body }) => sum + footprint(key, body), 0);
    // What is written over gives its room back, once.
    const freed = [...new Set(entries.map(({ key }) => key))].reduce((sum, key) => sum + this.#takenBy(key), 0);
    this.#makeRoom(need - freed, need);
    for (const { key, tag, body, ttl } of entries) this.#put(key, { tag, body }, ttl);
    return 0;
  }

  delete(keys) {
    return keys.filter((key) => this.#remove(key)).length;
  }

  incr(key, by, ttl) {
    const found = this.raw(key);
    if (found === undefined) {
      this.set(key, encode(by), ttl);
      return by;
    }
    const value = decode(found.tag, Buffer.from(found.body), 0, found.body.length);
    if (typeof value !== 'number') throw createError('ERR_STORE_NOT_NUMBER', `the entry is not a number: '${key}'`);
    Object.assign(this.#entries.get(key), encode(value + by));
    return value + by;
  }

  cas(key, expected, next, ttl) {
    const found = this.raw(key);
    const same =
      found && expected ? found.tag === expected.tag && sameBytes(found.body, expected.body) : found === expected;
    if (!same) return 0;
    if (next === undefined) this.#remove(key);
    else this.set(key, next, ttl);
    return 1;
  }

  touch(key, ttl) {
    const found = this.raw(key);
    if (found !== undefined) this.#entries.get(key).expires = expiry(ttl);
    return Number(found !== undefined);
  }

  clear(prefix) {
    return this.delete([...this.#entries.keys()].filter((key) => key.startsWith(prefix)));
  }

  claim(key, owner, run) {
    if (this.has(key)) return PRESENT;
    const flight = this.#flights.get(key);
    if (flight !== undefined && flight.error === undefined) return WAIT;
    this.#flights.set(key, { owner, token: `${owner}:${run}` });
    return RUN;
  }

  settle(key, owner, run, outcome, raw, ttl) {
    const flight = this.#flights.get(key);
    if (flight?.token !== `${owner}:${run}`) return 0;
    if (outcome === THROWN) {
      Object.assign(flight, { error: raw.body, until: Date.now() + ERROR_KEPT });
      return 1;
    }
    this.#flights.delete(key);
    if (raw.tag !== 0) this.set(key, raw, ttl);
    return 1;
  }

  wait(key, seen) {
    const flight = this.#flights.get(key);
    if (flight === undefined) return { state: OVER };
    const { token, error } = flight;
    if (error === undefined) return { state: RUNNING, token };
    return seen === undefined || seen === token ? { state: FAILED, token, error } : { state: OVER, token };
  }

  /** One who runs `getOrSet` is gone: others may take over. @param {(owner: string) => boolean} isGone */
  leave(isGone) {
    for (const [key, { owner, error }] of this.#flights) {
      if (error === undefined && isGone(owner)) this.#flights.delete(key);
    }
  }

  #put(key, raw, ttl) {
    this.#remove(key);
    // Bytes are copied: they may be the caller's own memory.
    const body = typeof raw.body === 'string' ? raw.body : Buffer.from(raw.body);
    this.#entries.set(key, { tag: raw.tag, body, expires: expiry(ttl) });
    this.#taken += footprint(key, body);
  }

  /** @returns {boolean} whether it was there and had not expired */
  #remove(key) {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#entries.delete(key);
    this.#taken -= footprint(key, entry.body);
    return entry.expires > Date.now();
  }

  /** 0 for what has expired: the sweep may have taken it out by the time its room is wanted. */
  #takenBy(key) {
    const entry = this.#entries.get(key);
    return entry === undefined || entry.expires <= Date.now() ? 0 : footprint(key, entry.body);
  }

  #makeRoom(growth, need) {
    const { maxSize, evict } = this.#settings;
    if (need > maxSize) throw createError('ERR_STORE_FULL', `${need} bytes do not fit maxSize, ${maxSize} bytes`);
    if (this.#taken + growth <= maxSize) return;
    this.#sweep();
    if (evict) {
      for (const key of this.#entries.keys()) {
        if (this.#taken + growth <= maxSize) break;
        this.#remove(key);
      }
    }
    if (this.#taken + growth > maxSize) {
      throw createError('ERR_STORE_FULL', `${this.#taken} of ${maxSize} bytes are taken, ${growth} more wanted`);
    }
  }

  #sweep() {
    const now = Date.now();
    for (const [key, { expires }] of this.#entries) if (expires <= now) this.#remove(key);
    for (const [key, { until }] of this.#flights) if (until <= now) this.#flights.delete(key);
  }
}

const expiry = (ttl) => (ttl > 0 ? Date.now() + ttl : Number.POSITIVE_INFINITY);
const footprint = (key, body) => Buffer.byteLength(key) + Buffer.byteLength(body) + OVERHEAD;
const byBytes = (one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other));

module.exports = { Memory };
