'use strict';
// A store with a path outlives its processes, however they end; a file that cannot be used is refused and kept.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { openStore } = require('rustcluster');
const { cleanUp, crew, folder, gone } = require('../fixtures/store/harness.js');

/** In the run that CI makes; `npm run bench -- store` kills 200 times. */
const KILLS = 5;

describe('a store with a path', () => {
  afterEach(cleanUp);

  it('is there for the next start, with the times its entries have left', async () => {
    const options = { path: folder() };
    const store = openStore('kept', options);
    await store.setMany({ a: 1, b: { two: 2 } });
    await store.set('brief', 1, { ttl: 3_600_000 });
    await store.close();
    const { primary } = await crew({ name: 'kept', options });
    const seen = await primary(async (store) => [...store.getManySync(['a', 'b']), await store.ttl('brief')]);
    assert.deepEqual(seen.slice(0, 2), [1, { two: 2 }]);
    assert.ok(seen[2] > 3_000_000 && seen[2] <= 3_600_000);
  });

  for (const durable of [true, false]) {
    it(`has every acknowledged write after kill -9 of all, durable ${durable}`, async () => {
      const place = folder();
      const options = { path: place, durable };
      for (let round = 0; round < KILLS; round++) {
        const { pids, each, stop } = await crew({ workers: 3, options });
        const acks = path.join(place, `acks-${round}`);
        const writing = each(
          async (store, { acks, round }, { require }) => {
            const fs = require('node:fs');
            // Appended by a call of its own, so that what is in this file was acknowledged before the kill.
            const file = fs.openSync(`${acks}-${process.pid}`, 'a');
            for (let n = 0; ; n++) {
              const key = `${round}:${process.pid}:${n}`;
              const writes = [store.set(key, 'x'.repeat((n * 131) % 6000)), store.incr(`sum:${process.pid}`)];
              await Promise.all(writes);
              fs.writeSync(file, `${key}\n`);
            }
          },
          { acks, round },
        );
        writing.catch(() => {});
        const written = () =>
          pids.reduce(
            (sum, pid) => sum + (fs.existsSync(`${acks}-${pid}`) ? fs.statSync(`${acks}-${pid}`).size : 0),
            0,
          );
        while (written() < 500) await new Promise((resolve) => setTimeout(resolve, 1));
        for (const pid of pids) process.kill(pid, 'SIGKILL');
        await stop('SIGKILL');
        await Promise.all(pids.map(gone));
        const store = openStore('test', options);
        for (const pid of pids) {
          const keys = fs.existsSync(`${acks}-${pid}`)
            ? fs.readFileSync(`${acks}-${pid}`, 'utf8').split('\n').slice(0, -1)
            : [];
          for (const [n, key] of keys.entries()) assert.equal(store.getSync(key)?.length, (n * 131) % 6000, key);
          if (keys.length > 0) assert.ok(store.getSync(`sum:${pid}`) >= keys.length);
        }
        await store.close();
      }
    });
  }

  it('is refused, and kept, when it is corrupt', async () => {
    const place = folder();
    const store = openStore('broken', { path: place });
    await store.setMany(Array.from({ length: 2000 }, (_, n) => [`key ${n}`, 'x'.repeat(n)]));
    await store.close();
    const file = path.join(place, 'broken', 'data.mdb');
    const whole = fs.readFileSync(file);
    const damages = {
      'cut short': whole.subarray(0, whole.length / 3),
      'with a hole': Buffer.concat([whole.subarray(0, 8192), Buffer.alloc(whole.length - 8192)]),
      'half garbage': Buffer.concat([whole.subarray(0, 8192), Buffer.alloc(whole.length - 8192, 0xa5)]),
    };
    for (const [name, contents] of Object.entries(damages)) {
      fs.writeFileSync(file, contents);
      assert.throws(() => openStore('broken', { path: place }), { code: 'ERR_STORE_CORRUPT' }, name);
      assert.deepEqual(fs.readFileSync(file), contents, name);
    }
    fs.writeFileSync(file, whole);
    const mended = openStore('broken', { path: place });
    assert.equal(await mended.size(), 2000);
    await mended.close();
  });

  it('is refused, and kept, when it is something else', () => {
    const place = folder();
    fs.writeFileSync(path.join(place, 'file'), 'not a folder');
    assert.throws(() => openStore('file', { path: place }), { code: 'ERR_STORE_FOREIGN' });
    fs.mkdirSync(path.join(place, 'other'));
    for (const contents of ['{"json":true}', 'SQLite format 3\0'.padEnd(8192, 'x')]) {
      const file = path.join(place, 'other', 'data.mdb');
      fs.writeFileSync(file, contents);
      assert.throws(() => openStore('other', { path: place }), { code: 'ERR_STORE_FOREIGN' });
      assert.equal(fs.readFileSync(file, 'utf8'), contents);
    }
  });

  describe('in a folder that has something else', () => {
    /** Everything below a folder: name -> contents, or where a link leads. */
    const below = (place) =>
      fs
        .readdirSync(place, { recursive: true, withFileTypes: true })
        .map((found) => {
          const file = path.join(found.parentPath, found.name);
          if (found.isSymbolicLink()) return [file, fs.readlinkSync(file)];
          return [file, found.isFile() ? fs.readFileSync(file, 'latin1') : 'folder'];
        })
        .sort();
    const refused = (place, why) => {
      const before = below(place);
      assert.throws(() => openStore('s', { path: place, eviction: 'lru' }), { code: 'ERR_STORE_FOREIGN' }, why);
      assert.deepEqual(below(place), before, why);
    };

    for (const name of ['clock', 'turn', 'lock.mdb', 'store.lock', 'members', 'data.mdb', 'notes.txt']) {
      it(`is refused and nothing touched: ${name}`, () => {
        const place = folder();
        const file = path.join(place, 's', name);
        fs.mkdirSync(path.dirname(file));
        fs.writeFileSync(file, 'notes');
        refused(place, 'a file');
        fs.writeFileSync(path.join(place, 's', 'store.lock'), name === 'store.lock' ? 'notes' : '');
        refused(place, 'a file beside our lock');
        fs.rmSync(file);
        fs.writeFileSync(path.join(place, 'target'), 'notes');
        fs.symlinkSync('../target', file);
        refused(place, 'a link');
        fs.rmSync(path.join(place, 'target'));
        refused(place, 'a link to nothing');
      });

      // The store itself, and none of its names.
      if (name === 'data.mdb' || name === 'notes.txt') continue;
      it(`is refused and nothing touched though a store is there: ${name}`, async () => {
        const place = folder();
        const open = () => openStore('s', { path: place, eviction: 'lru' });
        const store = open();
        await store.set('key', 1);
        await store.close();
        const file = path.join(place, 's', name);
        fs.rmSync(file, { recursive: true, force: true });
        fs.mkdirSync(path.join(place, 'theirs'));
        fs.writeFileSync(path.join(place, 'theirs', '0123456789abcdef'), '');
        fs.symlinkSync('../theirs', file);
        refused(place, 'a link to a folder');
        fs.rmSync(file);
        fs.writeFileSync(file, 'notes');
        refused(place, 'a file');
        fs.rmSync(file);
        const mended = open();
        assert.equal(mended.getSync('key'), 1);
        await mended.close();
      });
    }

    it('opens where a first opening was killed, or the data alone was kept', async () => {
      const place = folder();
      const whole = openStore('whole', { path: place, eviction: 'lru' });
      await whole.set('key', 1);
      await whole.close();
      const made = ['store.lock', 'lock.mdb', 'clock', 'turn', 'data.mdb'];
      for (const [count, last] of made.entries()) {
        for (const length of last === 'clock' ? [0, 8192] : [0]) {
          const name = `half-${count}-${length}`;
          fs.mkdirSync(path.join(place, name));
          for (const one of made.slice(0, count)) {
            fs.copyFileSync(path.join(place, 'whole', one), path.join(place, name, one));
          }
          fs.writeFileSync(path.join(place, name, last), Buffer.alloc(length));
          const store = openStore(name, { path: place, eviction: 'lru' });
          await store.set('key', 1);
          await store.close();
        }
      }
      fs.mkdirSync(path.join(place, 'copy'));
      fs.copyFileSync(path.join(place, 'whole', 'data.mdb'), path.join(place, 'copy', 'data.mdb'));
      fs.writeFileSync(path.join(place, 'copy', 'notes.txt'), 'beside a store they do no harm');
      const copy = openStore('copy', { path: place });
      assert.equal(copy.getSync('key'), 1);
      await copy.close();
    });

    it('leaves files among its members that are none of its own', async () => {
      const place = folder();
      const file = path.join(place, 's', 'members', 'notes.txt');
      await openStore('s', { path: place }).close();
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, 'notes');
      await openStore('s', { path: place }).close();
      assert.equal(fs.readFileSync(file, 'utf8'), 'notes');
    });
  });

  it('says so when it may not be written', function () {
    if (process.getuid() === 0) this.skip(); // root may write anywhere
    const place = folder();
    fs.chmodSync(place, 0o500);
    assert.throws(() => openStore('denied', { path: place }), { code: 'EACCES' });
  });

  it('can be opened with other options once nobody has it open', async () => {
    const place = folder();
    const store = openStore('grows', { path: place, maxSize: 100_000 });
    await assert.rejects(store.set('key', 'x'.repeat(200_000)), { code: 'ERR_STORE_FULL' });
    await store.set('small', 1);
    await store.close();
    const larger = openStore('grows', { path: place, maxSize: 1_000_000, eviction: 'lru' });
    await larger.set('key', 'x'.repeat(200_000));
    assert.equal(larger.getSync('small'), 1);
    await larger.close();
  });
});
