'use strict';
// Without shared memory the same calls work through the primary.
const assert = require('node:assert/strict');
const path = require('node:path');
const { cleanUp, crew, folder } = require('../fixtures/store/harness.js');

const env = { RUSTCLUSTER_STORE: 'ipc' };

describe('a store over ipc', () => {
  afterEach(cleanUp);

  it('is the same for the primary and its workers', async () => {
    const { each, on, primary } = await crew({ workers: 3, env });
    await on(0, (store) => store.set('key', { list: [1, new Map([[1, 'x']])], bytes: new Uint8Array([1, 2]) }));
    const seen = await each(async (store) => {
      const value = await store.get('key');
      return [store.transport, value.list[1].get(1), [...value.bytes], await store.size()];
    });
    assert.deepEqual(seen, Array(3).fill(['ipc', 'x', [1, 2], 1]));
    assert.equal(await primary((store) => store.getSync('key').list[0]), 1);
    await primary((store) => store.set('text', 'Zürich 🦀'));
    assert.equal(await on(2, (store) => store.get('text')), 'Zürich 🦀');
  });

  it('does all that one in shared memory does', async () => {
    const { on } = await crew({ workers: 1, env });
    const done = await on(0, async (store) => {
      await store.setMany({ a: 1, b: 'two', c: Buffer.from('three') }, { ttl: 60_000 });
      const keys = [];
      for await (const key of store.keys()) keys.push(key);
      const entries = [];
      for await (const entry of store.entries({ prefix: 'b' })) entries.push(entry);
      return {
        many: (await store.getMany(['a', 'c', 'none'])).map((value) =>
          Buffer.isBuffer(value) ? String(value) : (value ?? 'none'),
        ),
        has: [await store.has('a'), await store.has('none')],
        ttl: [(await store.ttl('a')) > 50_000, await store.ttl('none')].map(String),
        touch: [await store.touch('a'), String(await store.ttl('a')), await store.touch('none')],
        incr: [await store.incr('a', 2), await store.incr('fresh')],
        cas: [
          await store.cas('b', 'no', 1),
          await store.cas('b', 'two', [{ x: 1 }]),
          await store.cas('b', [{ x: 1 }], undefined),
        ],
        gone: [await store.delete('c'), await store.deleteMany(['c', 'a'])],
        bad: await store
          .set('s', 'text')
          .then(() => store.incr('s'))
          .catch(({ code }) => code),
        keys,
        entries,
        clear: [await store.clear('fr'), await store.clear(), await store.size()],
      };
    });
    assert.deepEqual(done, {
      many: [1, 'three', 'none'],
      has: [true, false],
      ttl: ['true', 'undefined'],
      touch: [true, 'Infinity', false],
      incr: [3, 1],
      cas: [false, true, true],
      gone: [true, 1],
      bad: 'ERR_STORE_NOT_NUMBER',
      keys: ['a', 'b', 'c'],
      entries: [['b', 'two']],
      clear: [1, 1, 0],
    });
  });

  it('counts beyond what JSON can say', async () => {
    const { on } = await crew({ workers: 1, env });
    const sums = await on(0, async (store) => {
      await store.set('low', -1.7e308);
      await store.set('none', Number.NaN);
      return [await store.incr('low', -1.7e308), await store.incr('none')].map(String);
    });
    assert.deepEqual(sums, ['-Infinity', 'NaN']);
  });

  it('loses no increment', async () => {
    const { each, primary } = await crew({ workers: 3, env });
    await each((store) => Promise.all(Array.from({ length: 500 }, () => store.incr('n'))).then(() => {}));
    assert.equal(await primary((store) => store.getSync('n')), 1500);
  });

  it('has its limits, too', async () => {
    const none = await crew({ workers: 1, env, options: { maxSize: 100_000 } });
    const fill = async (store) => {
      for (let n = 0; n < 200; n++) await store.set(`k${n}`, 'x'.repeat(1000));
    };
    await assert.rejects(none.on(0, fill), { code: 'ERR_STORE_FULL' });
    await none.on(0, (store) => store.setMany(['k0', 'k1', 'k2'].map((key) => [key, 'x'.repeat(1000)])));
    const lru = await crew({ workers: 1, env, options: { maxSize: 100_000, eviction: 'lru' } });
    await lru.on(0, fill);
    assert.deepEqual(await lru.on(0, async (store) => [await store.has('k0'), await store.has('k199')]), [false, true]);
  });

  it('says what it cannot do', async () => {
    const { on } = await crew({ workers: 1, env });
    await assert.rejects(
      on(0, (store) => store.getSync('key')),
      { code: 'ERR_STORE_UNAVAILABLE' },
    );
    const withPath = await crew({ env, options: { path: folder() } });
    await assert.rejects(
      withPath.primary((store) => store.size()),
      { code: 'ERR_STORE_UNAVAILABLE' },
    );
  });

  for (const workers of [0, 1]) {
    it(`is the same for threads, those of ${workers === 0 ? 'the primary' : 'a worker'}`, async () => {
      const { on, primary } = await crew({ workers, env });
      const run = workers === 0 ? primary : (...args) => on(0, ...args);
      const seen = await run(async (store, _, { require }) => {
        const { once } = require('node:events');
        const { Worker } = require('node:worker_threads');
        const work = async (name) => {
          const { parentPort } = require('node:worker_threads');
          const store = require('rustcluster').openStore(name);
          const value = await store.get('key');
          await store.set('back', { list: [value, undefined], bytes: new Uint8Array([1, 2]) });
          await Promise.all(Array.from({ length: 100 }, () => store.incr('n')));
          const failed = await store.incr('key').catch(({ code }) => code);
          const swapped = await store.cas('object', { b: [2], a: 1 }, new Map([[1, 1]]));
          const again = await store.cas('object', new Map([[1, 1]]), 'swapped');
          const said = [store.transport, value, failed, swapped && again];
          store.getOrSet('slow', () => new Promise(() => parentPort.postMessage(said)));
        };
        await store.setMany({ key: 'from the main thread', object: { a: 1, b: [2] } });
        const thread = new Worker(`(${work})('test')`, { eval: true });
        const [answer] = await once(thread, 'message');
        const slow = store.getOrSet('slow', () => 'taken over');
        await thread.terminate();
        return [...answer, await slow, await store.get('n'), await store.get('back')].map(String);
      });
      const object = '[object Object]';
      const said = ['ipc', 'from the main thread', 'ERR_STORE_NOT_NUMBER', 'true'];
      assert.deepEqual(seen, [...said, 'taken over', '100', object]);
      assert.equal(await primary((store) => store.getSync('back').list.length), 2);
    });
  }

  it('is fallen back on where no folder can be written', async () => {
    const place = { RUSTCLUSTER_STORE_DIR: path.join(folder(), 'missing') };
    const { on, primary } = await crew({ workers: 2, env: place });
    await on(0, (store) => store.set('key', 1));
    assert.deepEqual(await on(1, async (store) => [store.transport, await store.get('key')]), ['ipc', 1]);
    assert.equal(await primary((store) => store.getSync('key')), 1);
  });
});
