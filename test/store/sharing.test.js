'use strict';
// Every process of a cluster has the same entries, however its workers were started.
const assert = require('node:assert/strict');
const { Worker } = require('node:worker_threads');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { cleanUp, crew, folder, gone } = require('../fixtures/store/harness.js');

describe('the processes of a cluster', () => {
  afterEach(cleanUp);

  for (const module of ['node:cluster', 'rustcluster/cluster']) {
    it(`share a store (${module})`, async () => {
      const { primary, on, each } = await crew({ workers: 3, module });
      await primary((store) => store.set('from', 'primary'));
      await on(0, (store) => store.set('to', { all: true }));
      assert.deepEqual(
        await each((store) => store.getManySync(['from', 'to'])),
        Array(3).fill(['primary', { all: true }]),
      );
      assert.deepEqual(await primary((store) => store.getSync('to')), { all: true });
    });
  }

  it('lose no increment and no swap', async () => {
    const { each, primary } = await crew({ workers: 4 });
    await each(async (store, count) => {
      await Promise.all(Array.from({ length: count }, () => store.incr('n')));
    }, 2000);
    assert.equal(await primary((store) => store.getSync('n')), 8000);
    const swaps = await each(async (store) => {
      let done = 0;
      while (done < 50) {
        const seen = store.getSync('list') ?? [];
        done += Number(await store.cas('list', seen.length === 0 ? undefined : seen, [...seen, process.pid]));
      }
      return done;
    });
    assert.deepEqual(swaps, [50, 50, 50, 50]);
    assert.equal((await primary((store) => store.getSync('list'))).length, 200);
  });

  it('see all of setMany or nothing of it', async () => {
    const { each } = await crew({ workers: 3 });
    const keys = Array.from({ length: 20 }, (_, n) => `k${n}`);
    const torn = await each(async (store, keys) => {
      let found = 0;
      for (let round = 0; round < 100; round++) {
        await store.setMany(keys.map((key) => [key, `${process.pid}-${round}`]));
        found += Number(new Set(store.getManySync(keys)).size !== 1);
      }
      return found;
    }, keys);
    assert.deepEqual(torn, [0, 0, 0]);
  });

  it('share it with their threads', async () => {
    const { on } = await crew({ workers: 2 });
    await on(0, (store) => store.set('from', 'a worker'));
    const inThread = await on(1, async (_store, _arg, { require }) => {
      const { Worker } = require('node:worker_threads');
      const code = `const { parentPort, workerData } = require('node:worker_threads');
        const { openStore } = require('rustcluster');
        const store = openStore('test');
        store.set('thread', 'was here').then(() => parentPort.postMessage(store.getSync('from')));`;
      const thread = new Worker(code, { eval: true });
      const answer = await new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject));
      await thread.terminate();
      return answer;
    });
    assert.equal(inThread, 'a worker');
    assert.equal(await on(0, (store) => store.getSync('thread')), 'was here');
  });

  it('go on when one of them is killed in mid-write', async () => {
    const { on, pids, primary } = await crew({ workers: 3 });
    for (const victim of [0, 1]) {
      const dies = on(victim, async (store) => {
        for (;;) await Promise.all(Array.from({ length: 100 }, (_, n) => store.set(`k${n}`, 'x'.repeat(2000))));
      });
      await on(2, async (store) => {
        while ((await store.size()) < 50) await new Promise(setImmediate);
      });
      process.kill(pids[victim], 'SIGKILL');
      dies.catch(() => {});
      await gone(pids[victim]);
      await primary((store) => store.clear());
    }
    await on(2, (store) => store.set('still', 'here'));
    assert.equal(await primary((store) => store.getSync('still')), 'here');
  });

  it('do not see the stores of another cluster', async () => {
    const [one, other] = [await crew({ workers: 1 }), await crew()];
    await one.primary((store) => store.set('key', 'mine'));
    assert.equal(await other.primary((store) => store.hasSync('key')), false);
  });

  it('must open it with the same options', async () => {
    const { on, each } = await crew({ workers: 2, options: { maxSize: 1_000_000 } });
    await each((store) => store.size());
    const refused = on(0, (_store, _arg, { rustcluster }) => rustcluster.openStore('test', { maxSize: 2_000_000 }));
    await assert.rejects(refused, { code: 'ERR_INVALID_ARG_VALUE' });
  });
});

describe('a store without a path', () => {
  afterEach(cleanUp);

  const roots = (place) => fs.readdirSync(place).filter((name) => name.startsWith('rustcluster-store-'));

  it('goes with its primary', async () => {
    const place = folder();
    const { primary, on, stop } = await crew({ workers: 2, env: { RUSTCLUSTER_STORE_DIR: place } });
    await on(1, (store) => store.set('key', 1));
    assert.equal(await primary((store) => store.getSync('key')), 1);
    assert.equal(roots(place).length, 1);
    await stop();
    assert.deepEqual(roots(place), []);
  });

  it('goes with the next start when all were killed', async () => {
    const place = folder();
    const first = await crew({ workers: 2, env: { RUSTCLUSTER_STORE_DIR: place } });
    await first.on(0, (store) => store.set('key', 1));
    await first.stop('SIGKILL');
    await Promise.all(first.pids.map(gone));
    assert.equal(roots(place).length, 1);
    const second = await crew({ env: { RUSTCLUSTER_STORE_DIR: place } });
    assert.equal(await second.primary((store) => store.size()), 0);
    const [only, ...others] = roots(place);
    assert.match(only, new RegExp(`^rustcluster-store-${second.child.pid}-`));
    assert.deepEqual(others, []);
  });

  it('is left alone while its primary lives', async () => {
    const place = folder();
    const one = await crew({ workers: 1, env: { RUSTCLUSTER_STORE_DIR: place } });
    await one.on(0, (store) => store.set('key', 1));
    const other = await crew({ env: { RUSTCLUSTER_STORE_DIR: place } });
    await other.primary((store) => store.size());
    assert.equal(roots(place).length, 2);
    assert.equal(await one.primary((store) => store.getSync('key')), 1);
  });

  it('says so where it cannot be, if it may not fall back', async () => {
    const place = path.join(folder(), 'missing');
    const { primary } = await crew({ env: { RUSTCLUSTER_STORE_DIR: place, RUSTCLUSTER_STORE: 'shared' } });
    await assert.rejects(
      primary((store) => store.size()),
      { code: 'ERR_STORE_UNAVAILABLE' },
    );
  });

  it('survives its worker, which opens it again', async () => {
    const { primary, on } = await crew({ workers: 1 });
    await on(0, async (store) => {
      await store.set('key', 1);
      await store.close();
    });
    assert.equal(await primary((store) => store.getSync('key')), 1);
  });
});

describe('a thread that ends', () => {
  it('has its writes written', async () => {
    const code = `const { openStore } = require('rustcluster');
      const store = openStore('threads');
      for (let n = 0; n < 500; n++) store.set('k' + n, n);
      process.exit();`;
    const thread = new Worker(code, { eval: true });
    await once(thread, 'exit');
    const { openStore } = require('rustcluster');
    const store = openStore('threads');
    assert.equal(await store.size(), 500);
    await store.clear();
    await store.close();
  });
});
