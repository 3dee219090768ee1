'use strict';
// What is written is what is read: the values, the keys, and the calls that touch one entry.
const assert = require('node:assert/strict');
const fc = require('fast-check');
const { openStore } = require('rustcluster');

describe('a store', () => {
  let store;

  before(() => {
    store = openStore('values');
  });

  beforeEach(() => store.clear());
  after(() => store.close());

  const VALUES = {
    strings: ['', 'text', 'Zürich 🦀', 'a\0b', '\ud800 alone', '\r', '\r{"json":1}', 'x'.repeat(200_000)],
    numbers: [0, -0, 1.5, Number.MAX_SAFE_INTEGER, Number.NaN, Number.POSITIVE_INFINITY],
    'other primitives': [true, false, null, 10n ** 30n],
    objects: [
      {},
      { a: [1, { b: 2 }] },
      { name: 'Zoë "\r\n', none: undefined },
      { minus: -0 },
      [],
      [undefined, 1],
      new Date(0),
      /x/gi,
      new Map([[{}, new Set([1])]]),
    ],
    'objects with long texts': [
      { a: 'x'.repeat(1000), b: [{ c: 'y'.repeat(300) }] },
      { a: 'ä'.repeat(500) },
      ['x'.repeat(400_000)],
    ],
    'typed arrays': [new Float64Array([1.5]), new Uint16Array([1, 2]), new DataView(new ArrayBuffer(3))],
  };
  for (const [kind, values] of Object.entries(VALUES)) {
    it(`keeps ${kind} as structured clone does`, async () => {
      for (const value of values) {
        await store.set('key', value);
        assert.deepEqual(store.getSync('key'), value);
        assert.deepEqual(await store.get('key'), value);
      }
    });
  }

  it('gives what structured clone gives, whatever it is', async () => {
    const anything = fc.anything({ withDate: true, withMap: true, withSet: true, withBigInt: true, maxDepth: 4 });
    await fc.assert(
      fc.asyncProperty(anything, async (value) => {
        if (value === undefined) return;
        await store.set('key', value);
        const copy = structuredClone(value);
        assert.deepEqual(store.getSync('key'), copy);
        assert.deepEqual(await store.getMany(['key']), [copy]);
        assert.equal(await store.cas('key', copy, 'next'), true);
      }),
    );
  });

  it('gives bytes back as a Buffer of their own', async () => {
    for (const bytes of [Buffer.from('bytes'), new Uint8Array([1, 2, 3]), Buffer.alloc(0), Buffer.alloc(300_000, 7)]) {
      await store.set('key', bytes);
      const [one, other] = [store.getSync('key'), store.getSync('key')];
      assert.ok(Buffer.isBuffer(one));
      assert.deepEqual(one, Buffer.from(bytes));
      one.fill(0);
      assert.deepEqual(other, Buffer.from(bytes));
    }
  });

  it('shares no memory between what was read and what is read next', async () => {
    await store.set('first', { list: new Uint8Array([1, 2, 3]), big: new Uint32Array([4]) });
    await store.set('second', { list: new Uint8Array([9, 9, 9]), big: new Uint32Array([9]) });
    const first = store.getSync('first');
    store.getSync('second');
    assert.deepEqual(first, { list: new Uint8Array([1, 2, 3]), big: new Uint32Array([4]) });
  });

  it('gives typed arrays a buffer of their own, as long as they are', async () => {
    const words = Uint16Array.of(1, 2, 3);
    await store.set('words', words);
    await store.set('in', { words, view: new DataView(new ArrayBuffer(5), 1, 2), bytes: Buffer.from('x') });
    const read = store.getSync('words');
    assert.deepEqual(new Uint8Array(read.buffer), new Uint8Array(words.buffer));
    const inside = store.getSync('in');
    assert.deepEqual([inside.words.buffer.byteLength, inside.view.buffer.byteLength], [6, 2]);
    assert.ok(Buffer.isBuffer(inside.bytes));
  });

  it('gives cycles and shared references back', async () => {
    const value = { list: [] };
    value.self = value;
    value.list.push(value.list);
    await store.set('key', value);
    const copy = await store.get('key');
    assert.equal(copy.self, copy);
    assert.equal(copy.list[0], copy.list);
  });

  it('refuses what cannot be cloned, and undefined', async () => {
    await assert.rejects(
      store.set('key', () => {}),
      { name: 'DataCloneError' },
    );
    await assert.rejects(store.set('key', { fn() {} }), { name: 'DataCloneError' });
    await assert.rejects(store.set('key', undefined), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.equal(store.hasSync('key'), false);
  });

  it('refuses what could not be read back', async () => {
    const refused = {
      'a module of WebAssembly': new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)),
      'a Blob': { deep: [new Map([['key', new Blob(['x'])]])] },
    };
    for (const value of [new URL('http://localhost/'), new Headers(), new FormData()]) {
      try {
        structuredClone(value);
      } catch {
        refused[value.constructor.name] = value;
      }
    }
    for (const [name, value] of Object.entries(refused)) {
      await assert.rejects(store.set('key', value), { name: 'DataCloneError' }, name);
      await assert.rejects(
        store.getOrSet('key', () => value),
        { name: 'DataCloneError' },
        name,
      );
    }
    assert.equal(store.hasSync('key'), false);
  });

  it('takes any well-formed key of up to 1,024 bytes', async () => {
    for (const key of ['', ' ', 'ä', 'a\0b', '🦀'.repeat(256), 'k'.repeat(1024)]) {
      await store.set(key, key);
      assert.equal(store.getSync(key), key);
    }
    assert.equal(await store.size(), 6);
    for (const [key, code] of [
      [undefined, 'ERR_INVALID_ARG_TYPE'],
      [7, 'ERR_INVALID_ARG_TYPE'],
      ['k'.repeat(1025), 'ERR_OUT_OF_RANGE'],
      ['🦀'.repeat(257), 'ERR_OUT_OF_RANGE'],
      ['\ud800', 'ERR_INVALID_ARG_VALUE'],
    ]) {
      await assert.rejects(store.set(key, 1), { code });
      await assert.rejects(store.get(key), { code });
      assert.throws(() => store.getSync(key), { code });
    }
  });

  it('answers undefined, false and 0 for what is not there', async () => {
    assert.equal(await store.get('none'), undefined);
    assert.equal(store.getSync('none'), undefined);
    assert.equal(await store.has('none'), false);
    assert.equal(await store.ttl('none'), undefined);
    assert.equal(await store.delete('none'), false);
    assert.equal(await store.deleteMany(['none', 'neither']), 0);
    assert.equal(await store.touch('none', 5), false);
    assert.equal(await store.size(), 0);
  });

  it('deletes', async () => {
    await store.setMany({ a: 1, b: 2, c: 3 });
    assert.equal(await store.delete('a'), true);
    assert.equal(await store.deleteMany(['a', 'b', 'c']), 2);
    assert.equal(await store.size(), 0);
  });

  it('writes and reads many at once, from objects, maps and pairs', async () => {
    await store.setMany({ a: 1, b: 'two' });
    await store.setMany(new Map([['c', { three: 3 }]]));
    await store.setMany([['d', Buffer.from('four')]]);
    await store.setMany({});
    const want = [1, 'two', { three: 3 }, Buffer.from('four'), undefined];
    assert.deepEqual(await store.getMany(['a', 'b', 'c', 'd', 'e']), want);
    assert.deepEqual(store.getManySync(['a', 'b', 'c', 'd', 'e']), want);
    for (const bad of [null, 'text', [['a', 1, 2]], [[1, 2]], ['ab']]) {
      await assert.rejects(store.setMany(bad), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    await assert.rejects(store.setMany({ x: 1, y: undefined }), { code: 'ERR_INVALID_ARG_VALUE' });
    for (const bad of ['text', [1], new Array(1)]) {
      await assert.rejects(store.getMany(bad), { code: 'ERR_INVALID_ARG_TYPE' });
      await assert.rejects(store.deleteMany(bad), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    assert.equal(store.hasSync('x'), false);
  });

  it('counts', async () => {
    assert.equal(await store.incr('n'), 1);
    assert.equal(await store.incr('n', 41), 42);
    assert.equal(await store.incr('n', -0.5), 41.5);
    assert.equal(store.getSync('n'), 41.5);
    await store.set('n', 7);
    assert.equal(await store.incr('n'), 8);
    await store.set('text', '7');
    await assert.rejects(store.incr('text'), { code: 'ERR_STORE_NOT_NUMBER' });
    await assert.rejects(store.incr('n', Number.NaN), { code: 'ERR_OUT_OF_RANGE' });
    await assert.rejects(store.incr('n', '1'), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('compares and swaps', async () => {
    assert.equal(await store.cas('key', 'something', 1), false);
    assert.equal(await store.cas('key', undefined, { a: 1 }), true);
    assert.equal(await store.cas('key', undefined, 2), false);
    assert.equal(await store.cas('key', { a: 2 }, 3), false);
    assert.equal(await store.cas('key', { a: 1 }, 'next'), true);
    assert.equal(store.getSync('key'), 'next');
    assert.equal(await store.cas('key', 'next', [{ b: 1, a: [2] }]), true);
    const read = store.getSync('key');
    assert.equal(await store.cas('key', read, [...read, 3]), true);
    assert.equal(await store.cas('key', [{ a: [2], b: 1 }, 3], 'next'), true);
    assert.equal(await store.cas('key', 'next', undefined), true);
    assert.equal(store.hasSync('key'), false);
  });

  it('iterates by prefix, in order, however many there are', async () => {
    const all = Array.from({ length: 1500 }, (_, n) => `user:${String(n).padStart(4, '0')}`);
    await store.setMany(all.map((key, n) => [key, n]));
    await store.setMany({ usez: 0, use: 0 });
    const keys = [];
    for await (const key of store.keys({ prefix: 'user:' })) keys.push(key);
    assert.deepEqual(keys, all);
    const entries = [];
    for await (const entry of store.entries({ prefix: 'user:', limit: 700 })) entries.push(entry);
    assert.deepEqual(entries.at(-1), ['user:0699', 699]);
    assert.equal(entries.length, 700);
    let endless = 0;
    for await (const _ of store.keys({ limit: Number.POSITIVE_INFINITY })) endless++;
    assert.equal(endless, 1502);
    for (const limit of [0, 1.5, Number.NEGATIVE_INFINITY, Number.NaN]) {
      await assert.rejects(store.keys({ limit }).next(), { code: 'ERR_OUT_OF_RANGE' });
    }
    let count = 0;
    for await (const [key, value] of store) count += Number(typeof key === 'string' && typeof value === 'number');
    assert.equal(count, 1502);
  });

  it('clears by prefix, and everything', async () => {
    await store.setMany({ 'a:1': 1, 'a:2': 2, 'b:1': 3 }, { ttl: 60_000 });
    assert.equal(await store.clear('a:'), 2);
    assert.deepEqual(await store.getMany(['a:1', 'b:1']), [undefined, 3]);
    assert.equal(await store.clear(), 1);
    assert.equal(await store.size(), 0);
  });

  it('refuses wrong options', async () => {
    for (const ttl of [0, -1, 1.5, Number.NEGATIVE_INFINITY]) {
      await assert.rejects(store.set('key', 1, { ttl }), { code: 'ERR_OUT_OF_RANGE' });
    }
    await assert.rejects(store.set('key', 1, { ttl: '5' }), { code: 'ERR_INVALID_ARG_TYPE' });
    await assert.rejects(store.set('key', 1, 5), { code: 'ERR_INVALID_ARG_TYPE' });
    await assert.rejects(store.getOrSet('key', {}), { code: 'ERR_INVALID_ARG_TYPE' });
    for (const name of ['', '.hidden', 'a/b', '..', 'ä', 'x'.repeat(101)]) {
      assert.throws(() => openStore(name), { code: 'ERR_INVALID_ARG_VALUE' }, name);
    }
    assert.throws(() => openStore(), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => openStore('x', { maxSize: 5 }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => openStore('x', { eviction: 'random' }), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => openStore('x', { durable: true }), { code: 'ERR_INVALID_ARG_VALUE' });
    for (const option of ['path', 'durable', 'maxSize', 'eviction', 'redis']) {
      assert.throws(() => openStore('x', { [option]: null }), { code: 'ERR_INVALID_ARG_TYPE' }, option);
    }
    assert.throws(() => openStore('values', { maxSize: 100_000 }), { code: 'ERR_INVALID_ARG_VALUE' });
  });

  it('can be opened more than once, and each closed by itself', async () => {
    const other = openStore('values');
    await other.set('key', 'seen by both');
    assert.equal(store.getSync('key'), 'seen by both');
    const late = other.set('late', 1);
    await other.close();
    await late;
    for (const call of [() => other.get('key'), () => other.set('key', 1), () => other.getOrSet('key', () => 1)]) {
      await assert.rejects(call, { code: 'ERR_STORE_CLOSED' });
    }
    assert.throws(() => other.getSync('key'), { code: 'ERR_STORE_CLOSED' });
    await other.close();
    assert.equal(store.getSync('late'), 1);
    // What `await using` calls.
    const scoped = openStore('values');
    await scoped[Symbol.asyncDispose]();
    assert.throws(() => scoped.getSync('key'), { code: 'ERR_STORE_CLOSED' });
  });
});
