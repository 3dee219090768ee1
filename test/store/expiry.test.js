'use strict';
// What has a time to live is gone when it is over, also for those who only count.
const assert = require('node:assert/strict');
const { setTimeout: sleep } = require('node:timers/promises');
const { openStore } = require('rustcluster');

/** Looks again until it is so: nothing here depends on how long that takes. */
async function until(isSo) {
  while (!(await isSo())) await sleep(5);
}

describe('an entry with a time to live', () => {
  let store;

  before(() => {
    store = openStore('expiry');
  });
  beforeEach(() => store.clear());
  after(() => store.close());

  it('is there before, and not after', async () => {
    await store.set('long', 1, { ttl: 3_600_000 });
    await store.set('short', 1, { ttl: 20 });
    const left = await store.ttl('long');
    assert.ok(left > 3_500_000 && left <= 3_600_000, String(left));
    await until(() => !store.hasSync('short'));
    assert.equal(store.getSync('short'), undefined);
    assert.deepEqual(await store.getMany(['short', 'long']), [undefined, 1]);
    assert.equal(await store.ttl('short'), undefined);
    assert.equal(await store.delete('short'), false);
    const keys = [];
    for await (const key of store.keys()) keys.push(key);
    assert.deepEqual(keys, ['long']);
    assert.equal(await store.size(), 1);
  });

  it('lives for ever without one', async () => {
    await store.set('key', 1);
    assert.equal(await store.ttl('key'), Number.POSITIVE_INFINITY);
  });

  it('takes the time to live it tells, also that without end', async () => {
    await store.set('key', 1, { ttl: 60_000 });
    await store.set('other', 1, { ttl: Number.POSITIVE_INFINITY });
    assert.equal(await store.ttl('other'), Number.POSITIVE_INFINITY);
    assert.equal(await store.touch('key', await store.ttl('other')), true);
    assert.equal(await store.ttl('key'), Number.POSITIVE_INFINITY);
  });

  it('gets a new one by set and by touch, and loses it', async () => {
    await store.set('key', 1, { ttl: 60_000 });
    assert.equal(await store.touch('key', 3_600_000), true);
    assert.ok((await store.ttl('key')) > 3_500_000);
    assert.equal(await store.touch('key'), true);
    assert.equal(await store.ttl('key'), Number.POSITIVE_INFINITY);
    await store.set('key', 2, { ttl: 5_000 });
    await store.set('key', 3);
    assert.equal(await store.ttl('key'), Number.POSITIVE_INFINITY);
    assert.equal(store.getSync('key'), 3);
  });

  it('keeps the one of its first increment: a fixed window', async () => {
    assert.equal(await store.incr('hits', 1, { ttl: 3_600_000 }), 1);
    assert.equal(await store.incr('hits', 1, { ttl: 1 }), 2);
    assert.ok((await store.ttl('hits')) > 3_500_000);
    await store.incr('over', 1, { ttl: 20 });
    await until(() => !store.hasSync('over'));
    assert.equal(await store.incr('over', 1, { ttl: 3_600_000 }), 1);
    assert.ok((await store.ttl('over')) > 3_500_000);
  });

  it('can be made by cas, also in the place of one that is over', async () => {
    await store.set('lock', 'theirs', { ttl: 3_600_000 });
    assert.equal(await store.cas('lock', undefined, 'mine'), false);
    await store.touch('lock', 20);
    await until(() => !store.hasSync('lock'));
    assert.equal(await store.cas('lock', undefined, 'mine', { ttl: 3_600_000 }), true);
    assert.ok((await store.ttl('lock')) > 3_500_000);
  });

  it('gives its room back without anybody touching it', async () => {
    const small = openStore('expiry-small', { maxSize: 200_000 });
    const keys = Array.from({ length: 15 }, (_, n) => `k${n}`);
    const fill = () => Promise.all(keys.map((key) => small.set(key, 'x'.repeat(8_000), { ttl: 3_600_000 })));
    await fill();
    await assert.rejects(
      Promise.all([small.set('more', 'x'.repeat(90_000)), small.set('and more', 'x'.repeat(90_000))]),
      {
        code: 'ERR_STORE_FULL',
      },
    );
    // One of the large ones may have found room, and stays.
    await Promise.all(keys.map((key) => small.touch(key, 100)));
    await until(async () => (await small.size()) <= 1);
    await small.clear();
    await fill();
    await small.close();
  });
});
