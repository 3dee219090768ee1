'use strict';
// Session stores: each method that express-session and koa-session know of, and rate-limiter-flexible.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const { promisify } = require('node:util');
const { setTimeout: sleep } = require('node:timers/promises');
const { openStore } = require('rustcluster');
const { RateLimiterStore } = require('rustcluster/rate-limiter');
const { ExpressStore, KoaStore } = require('rustcluster/session');
const { request } = require('../fixtures/http.js');
const { cleanUp, crew, folder } = require('../fixtures/store/harness.js');

const session = (name, maxAge) => ({
  cookie: { originalMaxAge: maxAge ?? null, expires: maxAge ? new Date(Date.now() + maxAge) : null, path: '/' },
  name,
});

describe('ExpressStore', () => {
  let shared;
  let store;
  let call;

  before(() => {
    shared = openStore('sessions-test');
    store = new ExpressStore({ store: shared, ttl: 3_600_000 });
    call = (method, ...args) => promisify(store[method].bind(store))(...args);
  });
  beforeEach(() => shared.clear());
  after(() => shared.close());

  it('sets, gets and destroys', async () => {
    assert.equal(await call('get', 'a'), undefined);
    const ada = session('ada', 60_000);
    await call('set', 'a', ada);
    assert.deepEqual(await call('get', 'a'), JSON.parse(JSON.stringify(ada)));
    await call('destroy', 'a');
    assert.equal(await call('get', 'a'), undefined);
    await call('destroy', 'a');
  });

  it('tells all of them, counts and clears them, and leaves other entries alone', async () => {
    await shared.set('other', 1);
    await call('set', 'a', session('ada'));
    await call('set', 'b', session('bob', 60_000));
    const all = await call('all');
    assert.deepEqual(
      Object.entries(all).map(([id, { name }]) => [id, name]),
      [
        ['a', 'ada'],
        ['b', 'bob'],
      ],
    );
    assert.equal(await call('length'), 2);
    await call('clear');
    assert.equal(await call('length'), 0);
    assert.equal(shared.getSync('other'), 1);
  });

  it('lets a session live as long as its cookie, or its own time', async () => {
    await call('set', 'cookie', session('ada', 60_000));
    await call('set', 'none', session('bob'));
    await call('set', 'over', session('eve', -1));
    const left = await shared.ttl('sess:cookie');
    assert.ok(left > 50_000 && left <= 60_001, String(left));
    assert.ok((await shared.ttl('sess:none')) > 3_500_000);
    assert.equal(await call('get', 'over'), undefined);
  });

  it('touches: the cookie gets a new end, and what another request wrote stays', async () => {
    await call('set', 'a', session('ada', 60_000));
    const stale = session('ada', 1_800_000);
    await call('set', 'a', { ...session('ada', 60_000), cart: ['book'] });
    await call('touch', 'a', stale);
    const { cart, cookie } = await call('get', 'a');
    assert.deepEqual([cart, cookie.originalMaxAge], [['book'], 1_800_000]);
    assert.ok((await shared.ttl('sess:a')) > 1_700_000);
    await call('touch', 'none', stale);
    assert.equal(await call('get', 'none'), undefined);
  });

  it('works under express-session, with regenerate and reload', async () => {
    const express = require('express');
    const app = express();
    app.use(require('express-session')({ store, secret: 's', resave: false, saveUninitialized: false, rolling: true }));
    app.get('/count', (request, response) => {
      request.session.count = (request.session.count ?? 0) + 1;
      response.json({ id: request.sessionID, count: request.session.count });
    });
    app.get('/fresh', (request, response) =>
      request.session.regenerate(() => response.json({ id: request.sessionID, count: request.session.count ?? 0 })),
    );
    app.get('/reload', (request, response) =>
      request.session.reload((error) => response.json({ error: error?.message, count: request.session.count })),
    );
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address();
      const first = await request(port, '/count');
      const cookie = first.headers['set-cookie'][0].split(';')[0];
      const headers = { cookie };
      assert.equal((await request(port, '/count', { headers })).json().count, 2);
      assert.equal((await request(port, '/reload', { headers })).json().count, 2);
      const fresh = (await request(port, '/fresh', { headers })).json();
      assert.equal(fresh.count, 0);
      assert.notEqual(fresh.id, first.json().id);
      assert.equal(await call('get', first.json().id), undefined);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  it('hands errors to the callback', async () => {
    const own = openStore('sessions-closed');
    const closed = new ExpressStore({ store: own });
    await own.close();
    for (const method of ['get', 'destroy']) {
      await assert.rejects(promisify(closed[method].bind(closed))('a'), { code: 'ERR_STORE_CLOSED' });
    }
  });
});

describe('an adapter', () => {
  it('checks its options', async () => {
    const KeyvStore = require('rustcluster/keyv');
    for (const Adapter of [ExpressStore, KoaStore, KeyvStore]) {
      for (const options of [null, 5, { store: {} }, { store: null }, { name: 5 }]) {
        assert.throws(() => new Adapter(options), { code: 'ERR_INVALID_ARG_TYPE' });
      }
    }
    for (const Adapter of [ExpressStore, KoaStore]) {
      assert.throws(() => new Adapter({ prefix: 5 }), { code: 'ERR_INVALID_ARG_TYPE' });
      assert.throws(() => new Adapter({ ttl: '1' }), { code: 'ERR_INVALID_ARG_TYPE' });
      for (const ttl of [0, -1, 1.5]) assert.throws(() => new Adapter({ ttl }), { code: 'ERR_OUT_OF_RANGE' });
    }
    const forEver = new ExpressStore({ ttl: Number.POSITIVE_INFINITY });
    await promisify(forEver.set.bind(forEver))('a', session('ada'));
    const limits = { points: 1, duration: 1, storeClient: {} };
    assert.throws(() => new RateLimiterStore(limits), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});

describe('KoaStore', () => {
  it('sets, gets and destroys, for as long as it is told', async () => {
    const shared = openStore('sessions-koa');
    const store = new KoaStore({ store: shared });
    assert.equal(await store.get('a'), undefined);
    await store.set('a', { name: 'ada', _maxAge: 60_000 }, 60_000);
    await store.set('b', { name: 'bob' }, 'session');
    assert.deepEqual(await store.get('a'), { name: 'ada', _maxAge: 60_000 });
    assert.ok((await shared.ttl('sess:a')) <= 60_000);
    assert.ok((await shared.ttl('sess:b')) > 60_000);
    await store.destroy('a');
    assert.equal(await store.get('a'), undefined);
    await shared.clear();
    await shared.close();
  });
});

describe('RateLimiterStore', () => {
  afterEach(cleanUp);

  it('limits over all workers', async () => {
    const { each } = await crew({ workers: 4 });
    const passed = await each(async (_store, _arg, { require }) => {
      const { RateLimiterStore } = require('rustcluster/rate-limiter');
      const limiter = new RateLimiterStore({ points: 10, duration: 600 });
      const results = await Promise.allSettled(Array.from({ length: 10 }, () => limiter.consume('client')));
      const refused = results.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
      return { passed: 10 - refused.length, sound: refused.every(({ msBeforeNext }) => msBeforeNext > 500_000) };
    });
    assert.equal(
      passed.reduce((sum, one) => sum + one.passed, 0),
      10,
    );
    assert.ok(passed.every(({ sound }) => sound));
  });

  it('opens the store it is told of', async () => {
    const options = { name: 'limits-kept', path: folder(), maxSize: 100_000 };
    const limiter = new RateLimiterStore({ ...options, points: 3, duration: 600 });
    await limiter.consume('a');
    const { name, ...settings } = options;
    const same = openStore(name, settings);
    assert.equal(await same.size(), 1);
    await same.close();
    await limiter.client.close();
  });

  it('tells what is left, gives back, blocks and forgets', async () => {
    const storeClient = openStore('limits');
    const limiter = new RateLimiterStore({ storeClient, points: 3, duration: 600 });
    const first = await limiter.consume('a');
    assert.deepEqual([first.remainingPoints, first.consumedPoints, first.isFirstInDuration], [2, 1, true]);
    const second = await limiter.consume('a', 2);
    assert.deepEqual([second.remainingPoints, second.isFirstInDuration], [0, false]);
    await assert.rejects(limiter.consume('a'), ({ remainingPoints }) => remainingPoints === 0);
    await limiter.reward('a', 2);
    assert.equal((await limiter.get('a')).consumedPoints, 2);
    await limiter.block('a', 600);
    await assert.rejects(limiter.consume('a'), ({ msBeforeNext }) => msBeforeNext > 500_000);
    assert.equal(await limiter.delete('a'), true);
    assert.equal(await limiter.get('a'), null);
    await limiter.set('b', 3, 0);
    assert.equal((await limiter.get('b')).msBeforeNext, -1);
    const brief = new RateLimiterStore({ storeClient, points: 1, duration: 0.05, keyPrefix: 'brief' });
    await brief.consume('a');
    const refused = await brief.consume('a').catch((reason) => reason);
    while ((await brief.get('a')) !== null) await sleep(5);
    assert.equal((await brief.consume('a')).consumedPoints, 1);
    assert.ok(refused.msBeforeNext <= 50);
    await storeClient.clear();
    await storeClient.close();
  });
});
