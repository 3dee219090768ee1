'use strict';
// Past one machine: the same store over Redis. Each client stands for a process; none knows of the others but by Redis.
const assert = require('node:assert/strict');
const { setTimeout: sleep } = require('node:timers/promises');
const Keyv = require('keyv').default;
const { openStore } = require('rustcluster');
const KeyvStore = require('rustcluster/keyv');
const { RateLimiterStore } = require('rustcluster/rate-limiter');
const { KoaStore } = require('rustcluster/session');
const { connect, isInstalled, startRedis } = require('../fixtures/store/redis.js');

async function all(iterable) {
  const list = [];
  for await (const one of iterable) list.push(one);
  return list;
}

describe('a store over Redis', () => {
  let redis;
  let clients;
  let one;
  let other;

  before(async function () {
    if (!isInstalled()) {
      this.test.parent.title += ' (skipped: redis-server is not installed)';
      this.skip();
    }
    redis = await startRedis();
  });
  beforeEach(async () => {
    clients = [1, 2].map(() => connect(redis));
    [one, other] = clients.map((client) => openStore('test', { redis: client }));
    await one.clear();
  });
  afterEach(async () => {
    await Promise.all([one.close(), other.close()]);
    for (const client of clients) client.disconnect();
  });
  after(() => redis?.stop());

  it('keeps what structured clone takes, for all', async () => {
    const values = ['', 'Zürich 🦀', '\ud800', 0, -0, Number.NaN, null, true, 5n, { a: [1, { b: 'x'.repeat(500) }] }];
    values.push(new Map([[1, new Set([new Date(0)])]]), Uint16Array.of(1, 2), Buffer.from([0, 13, 10, 255]));
    for (const value of values) {
      await one.set('key', value);
      assert.deepEqual(await other.get('key'), value);
      assert.deepEqual(await other.getMany(['none', 'key']), [undefined, value]);
    }
    assert.equal(one.transport, 'redis');
    assert.throws(() => one.getSync('key'), { code: 'ERR_STORE_UNAVAILABLE' });
  });

  it('does all that one in shared memory does', async () => {
    await one.setMany({ a: 1, b: 'two', ä: Buffer.from('three'), '': 0 }, { ttl: 60_000 });
    assert.deepEqual(await all(other.keys()), ['', 'a', 'b', 'ä']);
    assert.deepEqual(await all(other.entries({ prefix: 'b' })), [['b', 'two']]);
    assert.deepEqual(await all(other.keys({ limit: 2 })), ['', 'a']);
    assert.deepEqual([await one.has('a'), await one.has('none'), await one.size()], [true, false, 4]);
    assert.ok((await one.ttl('a')) > 50_000);
    assert.equal(await one.ttl('none'), undefined);
    assert.deepEqual([await one.touch('a'), await one.ttl('a')], [true, Number.POSITIVE_INFINITY]);
    assert.equal(await one.touch('none', 5), false);
    assert.deepEqual([await one.incr('a', 2.5), await other.incr('a', -1), await one.incr('fresh')], [3.5, 2.5, 1]);
    await assert.rejects(one.incr('b'), { code: 'ERR_STORE_NOT_NUMBER' });
    assert.equal(await one.cas('b', 'no', 1), false);
    assert.equal(await one.cas('b', 'two', [{ x: 1 }]), true);
    assert.equal(await other.cas('b', [{ x: 1 }], undefined), true);
    assert.equal(await other.cas('b', undefined, 'there'), true);
    assert.equal(await other.cas('b', undefined, 'again'), false);
    assert.deepEqual(
      [await one.delete('b'), await one.delete('b'), await one.deleteMany(['ä', 'x', ''])],
      [true, false, 2],
    );
    assert.deepEqual([await one.clear('fr'), await one.clear('none'), await one.size()], [1, 0, 1]);
  });

  it('pages through many, in order', async () => {
    const keys = Array.from({ length: 1300 }, (_, n) => `k${String(n).padStart(5, '0')}`);
    await one.setMany(keys.map((key, n) => [key, n]));
    assert.deepEqual(await all(other.keys({ prefix: 'k' })), keys);
    assert.equal(await other.clear('k'), 1300);
  });

  it('forgets what has expired, also in its count', async () => {
    await one.setMany({ a: 1, b: 2 }, { ttl: 20 });
    await one.set('c', 3, { ttl: 3_600_000 });
    await one.incr('window', 1, { ttl: 3_600_000 });
    await one.incr('window', 1, { ttl: 1 });
    while ((await one.has('a')) || (await one.has('b'))) await sleep(5);
    assert.deepEqual(await all(other), [
      ['c', 3],
      ['window', 2],
    ]);
    assert.equal(await other.size(), 2);
  });

  it('loses no increment', async () => {
    await Promise.all([one, other].flatMap((store) => Array.from({ length: 500 }, () => store.incr('n'))));
    assert.equal(await one.get('n'), 1000);
  });

  it('keeps apart what has another name', async () => {
    const third = openStore('third', { redis: clients[0] });
    await one.set('key', 1);
    assert.equal(await third.get('key'), undefined);
    await third.close();
  });

  it('runs the function of getOrSet once for all', async () => {
    let runs = 0;
    const count = async () => {
      await sleep(30);
      return { run: ++runs };
    };
    const callers = Array.from({ length: 50 }, (_, n) => (n % 2 ? one : other).getOrSet('key', { ttl: 60_000 }, count));
    assert.deepEqual(await Promise.all(callers), Array(50).fill({ run: 1 }));
    const fails = async () => {
      runs++;
      // Until the other one has asked, too: its question is answered, then the claim that follows it.
      for (let step = 0; step < 2; step++) {
        await Promise.all([one.has('none'), other.has('none')]);
        await new Promise(setImmediate);
      }
      throw Object.assign(new RangeError('mine'), { code: 'E_MINE' });
    };
    const failed = await Promise.allSettled([one.getOrSet('bad', fails), other.getOrSet('bad', fails)]);
    assert.deepEqual([runs, ...failed.map(({ reason }) => reason.code)], [2, 'E_MINE', 'E_MINE']);
    assert.equal(await one.getOrSet('bad', () => 'good'), 'good');
  });

  it('has another run it when the one that runs it has closed the store', async () => {
    let started;
    const start = new Promise((resolve) => (started = resolve));
    const left = openStore('test', { redis: clients[0] });
    left.getOrSet('key', () => new Promise(started)).catch(() => {});
    await start;
    const waits = other.getOrSet('key', () => 'taken over');
    await left.close();
    assert.equal(await waits, 'taken over');
  });

  it('goes on with a Redis that has lost its scripts, and says when it is gone', async () => {
    await one.incr('n');
    await clients[0].callBuffer('SCRIPT', 'FLUSH');
    assert.equal(await one.incr('n'), 2);
    const lost = connect(redis);
    const store = openStore('test', { redis: lost });
    lost.disconnect();
    await assert.rejects(store.get('n'), { code: 'ERR_STORE_UNAVAILABLE' });
    await assert.rejects(store.set('n', 1), { code: 'ERR_STORE_UNAVAILABLE' });
  });

  it('says when Redis is full', async () => {
    await one.set('key', 'kept');
    await clients[0].callBuffer('CONFIG', 'SET', 'maxmemory', '1');
    await assert.rejects(one.set('key', 'x'.repeat(1000)), { code: 'ERR_STORE_FULL' });
    assert.equal(await one.get('key'), 'kept');
    assert.equal(await one.delete('key'), true);
    await clients[0].callBuffer('CONFIG', 'SET', 'maxmemory', '0');
  });

  it('carries sessions, Keyv and rate limits', async () => {
    const sessions = new KoaStore({ store: one });
    await sessions.set('id', { name: 'ada' }, 60_000);
    assert.deepEqual(await new KoaStore({ store: other }).get('id'), { name: 'ada' });
    const keyv = new Keyv({ store: new KeyvStore({ store: one }), namespace: 'users' });
    await keyv.set('a', { x: 1 });
    assert.deepEqual(await keyv.get('a'), { x: 1 });
    await keyv.clear();
    assert.equal(await keyv.get('a'), undefined);
    const limiters = [one, other].map((storeClient) => new RateLimiterStore({ storeClient, points: 2, duration: 60 }));
    const results = await Promise.allSettled([0, 1, 0, 1].map((n) => limiters[n].consume('client')));
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 2);
  });

  it('refuses options that Redis itself is told', () => {
    assert.throws(() => openStore('test', { redis: {} }), { code: 'ERR_INVALID_ARG_TYPE' });
    for (const option of [{ path: '/x' }, { durable: true }, { maxSize: 1e6 }, { eviction: 'lru' }]) {
      assert.throws(() => openStore('test', { redis: clients[0], ...option }), { code: 'ERR_INVALID_ARG_VALUE' });
    }
  });
});
