'use strict';
/**
 * The store past one machine: the entries in Redis, for all who open the same name there. No process sees another's death
 * over a network, so a run of `getOrSet` is believed in for as long as its process says every few seconds that it lives.
 */
const { createHash, randomUUID } = require('node:crypto');
const { createError } = require('../errors.js');
const { EncodedBackend } = require('./encoded.js');
const scripts = require('./redis-scripts.js');

/** For how long a run is believed in without word of its process, in milliseconds. */
const LEASE = 10_000;
/** How long an error waits for those who ask for it, in milliseconds. */
const ERROR_KEPT = 10_000;
const THROWN = 2;
const [OVER, RUNNING, FAILED] = [0, 1, 2];

const digests = Object.fromEntries(
  Object.entries(scripts).map(([name, lua]) => [name, createHash('sha1').update(lua).digest('hex')]),
);

class Redis {
  #client;
  /** In braces: a cluster of Redis keeps all of a store on one node. */
  #prefix;
  #entry;
  #flight;
  #loaded;
  /** key -> { token, timer } of what this process runs. */
  #runs = new Map();

  constructor(name, client) {
    this.#client = client;
    this.#prefix = `rustcluster:{${name}}:`;
    this.#entry = `${this.#prefix}entry:`;
    this.#flight = `${this.#prefix}run:`;
  }

  async raw(key) {
    return unpack(await this.#call('GET', this.#entry + key));
  }

  async rawMany(keys) {
    if (keys.length === 0) return [];
    return (await this.#call('MGET', ...keys.map((key) => this.#entry + key))).map(unpack);
  }

  async has(key) {
    return Number(await this.#call('EXISTS', this.#entry + key)) === 1;
  }

  async ttl(key) {
    const left = Number(await this.#call('PTTL', this.#entry + key));
    return left === -1 ? Number.POSITIVE_INFINITY : left;
  }

  async size() {
    return Number(await this.#run('size'));
  }

  async scan(prefix, after, limit) {
    const flat = await this.#run('scan', prefix, after === undefined ? '0' : '1', after ?? '', limit);
    return Array.from({ length: flat.length / 2 }, (_, n) => [String(flat[2 * n]), unpack(flat[2 * n + 1])]);
  }

  set(key, raw, ttl) {
    return this.setMany([{ key, ...raw, ttl }]);
  }

  async setMany(entries) {
    await this.#run('setMany', ...entries.flatMap(({ key, ttl, ...raw }) => [key, pack(raw), ttl]));
    return 0;
  }

  async delete(keys) {
    return keys.length === 0 ? 0 : Number(await this.#run('delete', ...keys));
  }

  async incr(key, by, ttl) {
    const number = Buffer.alloc(8);
    number.writeDoubleLE(by);
    return (await this.#run('incr', key, number, ttl)).readDoubleLE();
  }

  async cas(key, expected, next, ttl) {
    return Number(await this.#run('cas', key, pack(expected), pack(next), ttl));
  }

  async touch(key, ttl) {
    return Number(await this.#run('touch', key, ttl));
  }

  async clear(prefix) {
    return Number(await this.#run('clear', prefix));
  }

  async claim(key, owner, run) {
    const token = `${owner}:${run}`;
    const answer = Number(await this.#run('claim', key, token, LEASE));
    if (answer === 0) {
      // Whoever runs for longer than that says so in time, twice.
      const timer = setInterval(() => this.#run('renew', key, token, LEASE).catch(() => {}), LEASE / 3);
      timer.unref();
      this.#runs.set(key, { token, timer });
    }
    return answer;
  }

  async settle(key, owner, run, outcome, raw, ttl) {
    const token = `${owner}:${run}`;
    const [value, error] = outcome === THROWN ? ['', raw.body] : [raw.tag === 0 ? '' : pack(raw), ''];
    const answer = Number(await this.#run('settle', key, token, value, ttl, error, ERROR_KEPT));
    this.#forget(key, token);
    return answer;
  }

  async wait(key, seen) {
    const [token, error] = await this.#call('HMGET', this.#flight + key, 'token', 'error');
    if (token === null) return { state: OVER };
    const name = String(token);
    if (error === null) return { state: RUNNING, token: name };
    return seen === undefined || seen === name ? { state: FAILED, token: name, error } : { state: OVER, token: name };
  }

  /** What this process runs is another's to run. The client is its owner's to close. */
  async leave() {
    const runs = [...this.#runs];
    for (const [key, { token }] of runs) this.#forget(key, token);
    await Promise.all(runs.map(([key, { token }]) => this.#run('renew', key, token, 0)));
    await this.#loaded;
    // Answered after all that was sent before it.
    await this.#call('PING');
  }

  #forget(key, token) {
    const run = this.#runs.get(key);
    if (run?.token !== token) return;
    clearInterval(run.timer);
    this.#runs.delete(key);
  }

  async #run(name, ...args) {
    // Once for all: calls that come meanwhile stay in their order behind it.
    this.#loaded ??= Promise.all(Object.values(scripts).map((lua) => this.#call('SCRIPT', 'LOAD', lua))).catch(
      (error) => {
        this.#loaded = undefined;
        throw error;
      },
    );
    await this.#loaded;
    const rest = [2, `${this.#prefix}index`, `${this.#prefix}ends`, this.#entry, this.#flight, ...args];
    try {
      return await this.#call('EVALSHA', digests[name], ...rest);
    } catch (error) {
      // It has been started anew since.
      if (!/^NOSCRIPT/.test(error.cause?.message ?? '')) throw error;
      return this.#call('EVAL', scripts[name], ...rest);
    }
  }

  async #call(command, ...args) {
    try {
      return await this.#client.callBuffer(command, ...args);
    } catch (cause) {
      throw failure(cause);
    }
  }
}

/** @returns {Error} what Redis or the way to it has failed with, under a code of ours */
function failure(cause) {
  if (/NOTNUMBER/.test(cause.message))
    return createError('ERR_STORE_NOT_NUMBER', 'the entry is not a number', { cause });
  if (/\bOOM\b/.test(cause.message)) return createError('ERR_STORE_FULL', `Redis is full: ${cause.message}`, { cause });
  return createError('ERR_STORE_UNAVAILABLE', `Redis has failed: ${cause.message}`, { cause });
}

/** @returns {Buffer | string} '' for no entry, as no entry is stored */
function pack(raw) {
  return raw === undefined ? '' : Buffer.concat([Buffer.of(raw.tag), Buffer.from(raw.body)]);
}

function unpack(bytes) {
  return bytes === null ? undefined : { tag: bytes[0], body: bytes.subarray(1) };
}

/**
 * @param {string} name
 * @param {{ callBuffer(command: string, ...args: (string | Buffer | number)[]): Promise<any> }} client of ioredis
 * @returns {EncodedBackend}
 */
function redisBackend(name, client) {
  const redis = new Redis(name, client);
  // Numbers of processes are no names between machines.
  return new EncodedBackend((method, ...args) => redis[method](...args), { transport: 'redis', owner: randomUUID() });
}

module.exports = { redisBackend };
