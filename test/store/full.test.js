'use strict';
// A full store, and a full file system, are errors that say so; the process lives and the entries stay.
const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { openStore } = require('rustcluster');
const { cleanUp, crew, folder, gone } = require('../fixtures/store/harness.js');

/** A mount of one's own needs the right to make one: root's, or a user namespace. */
const unshare = ['--mount', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])];
const mount = (place) => [
  'unshare',
  ...unshare,
  'sh',
  '-c',
  `mount -t tmpfs -o size=2m,mode=1777 none "${place}" && exec "$@"`,
  'sh',
];
const canMount = () => spawnSync(...split([...mount('/mnt'), 'true'])).status === 0;
const split = ([command, ...args]) => [command, args];

describe('a full store', () => {
  afterEach(cleanUp);

  it('is not what processes leave that were killed in mid-read', async () => {
    const options = { path: folder(), maxSize: 20_000_000, durable: false };
    const store = openStore('test', options);
    const large = Buffer.alloc(8_000_000, 1);
    await store.set('large', large);
    const { pids, each, stop } = await crew({ workers: 4, options });
    await each((store) => {
      store.getSync('large');
      // Nearly all its time goes into reads.
      setImmediate(() => {
        for (;;) store.getSync('large');
      });
    });
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await stop('SIGKILL');
    await Promise.all(pids.map(gone));
    // Many times the file's largest size, which holds 40 MB and 64 MiB: what is freed must be used again.
    for (let n = 0; n < 40; n++) await store.set('large', large);
    assert.deepEqual(store.getSync('large'), large);
    await store.close();
  });

  it('refuses, and takes again once there is room', async () => {
    const store = openStore('full', { maxSize: 300_000 });
    const value = 'x'.repeat(1000);
    let count = 0;
    await assert.rejects(
      async () => {
        for (;;) await store.set(`k${count++}`, value);
      },
      { code: 'ERR_STORE_FULL' },
    );
    assert.ok(count > 200 && count < 300, String(count));
    assert.equal(await store.size(), count - 1);
    await store.set('k0', value);
    // What they take they have already.
    await store.setMany({ k0: value, k1: value, k2: value });
    await store.setMany([
      ['k0', value],
      ['k1', 'less'],
    ]);
    await store.set('k1', value);
    // One entry gives its room back once, however often it is named.
    const twice = [1, 2, 3].map(() => ['k0', value]);
    await assert.rejects(store.setMany(twice), { code: 'ERR_STORE_FULL' });
    await assert.rejects(store.setMany({ a: value, b: value, c: value }), { code: 'ERR_STORE_FULL' });
    assert.equal(store.hasSync('a'), false);
    await assert.rejects(
      store.getOrSet('big', () => 'x'.repeat(400_000)),
      { code: 'ERR_STORE_FULL' },
    );
    assert.equal(await store.incr('other').catch(({ code }) => code === 'ERR_STORE_FULL' || code), 1);
    await store.deleteMany(['k1', 'k2', 'k3', 'k4']);
    await store.setMany({ a: value, b: value, c: value });
    await store.clear();
    await store.close();
  });

  it("that evicts keeps what any process uses, with eviction 'lru'", async () => {
    const { each, primary } = await crew({ workers: 2, options: { maxSize: 400_000, eviction: 'lru' } });
    await primary((store) => store.setMany({ hot: 'kept', cold: 'x'.repeat(1000) }));
    const seen = await each(async (store) => {
      for (let n = 0; n < 2000; n++) {
        await store.set(`${process.pid}:${n}`, 'x'.repeat(1000));
        if (store.getSync('hot') !== 'kept') return n;
      }
      return 'always there';
    });
    assert.deepEqual(seen, ['always there', 'always there']);
    assert.equal(await primary((store) => store.hasSync('cold')), false);
    assert.ok((await primary((store) => store.size())) < 400);
  });

  for (const prefix of ['a', 'z']) {
    it(`that evicts keeps what is read all the time from the first, with fillers '${prefix}...'`, async () => {
      const hot = Array.from({ length: 10 }, (_, n) => `hot${n}`);
      for (const maxSize of [65_536, 1_000_000]) {
        const store = openStore(`hot-${prefix}-${maxSize}`, { maxSize, eviction: 'lru' });
        for (const key of hot) await store.set(key, 'kept');
        for (let n = 0; n < maxSize / 100; n++) {
          await store.set(`${prefix}${n}`, 'x'.repeat(200));
          const kept = store.getManySync(hot).filter((value) => value === 'kept').length;
          assert.equal(kept, hot.length, `after ${n} at ${maxSize}`);
        }
        assert.ok((await store.size()) > maxSize / 300);
        await store.clear();
        await store.close();
      }
    });
  }

  it('that evicts keeps nearly all that is hot where every entry was read', async () => {
    const hot = Array.from({ length: 10 }, (_, n) => `hot${n}`);
    const store = openStore('read', { maxSize: 200_000, eviction: 'lru' });
    for (const key of hot) await store.set(key, 'x'.repeat(200));
    for (let n = 0; n < 3000; n++) {
      await store.set(`k${n}`, 'x'.repeat(200));
      store.getSync(`k${n}`);
      store.getManySync(hot);
    }
    const kept = hot.filter((key) => store.hasSync(key)).length;
    assert.ok(kept >= 8, String(kept));
    await store.clear();
    await store.close();
  });

  for (const eviction of ['none', 'lru']) {
    it(`on a full tmpfs fails with a code, without SIGBUS, and reads go on (eviction ${eviction})`, async function () {
      if (process.platform !== 'linux' || !canMount()) this.skip();
      const place = folder();
      const code = `
        const { openStore } = require(${JSON.stringify(path.join(__dirname, '../..'))});
        const assert = require('node:assert/strict');
        (async () => {
          const options = { maxSize: 50_000_000, eviction: '${eviction}' };
          const store = openStore('small', { ...options, path: process.env.PLACE, durable: false });
          let [written, refused] = [0, 0];
          for (let n = 0; n < 3000; n++) {
            await store.set('k' + n, 'x'.repeat(1500)).then(
              () => written++,
              (error) => { assert.equal(error.code, 'ERR_STORE_FULL'); refused++; });
          }
          assert.ok(written > 100);
          if (options.eviction === 'none') {
            assert.ok(refused > 0);
            for (let n = 0; n < 100; n++) assert.equal(store.getSync('k' + n).length, 1500);
          }
          // Another that opens now has no room for its own files.
          assert.throws(() => openStore('other', { path: process.env.PLACE }), { code: 'ERR_STORE_FULL' });
          await store.close();
          const again = openStore('small', { ...options, path: process.env.PLACE, durable: false });
          assert.ok((await again.size()) > 100);
          console.log('sound', written, refused);
        })();`;
      const [command, args] = split([...mount(place), process.execPath, '-e', code]);
      const child = spawn(command, args, {
        env: { ...process.env, PLACE: place },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      const [status, signal] = await once(child, 'close');
      assert.deepEqual([status, signal], [0, null]);
      assert.match(text, /^sound/);
    });
  }
});
