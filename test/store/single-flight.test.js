'use strict';
// getOrSet runs its function once for all who ask at the same time, whoever they are and whatever becomes of them.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { openStore } = require('rustcluster');
const { cleanUp, crew, folder } = require('../fixtures/store/harness.js');

/** Makes a value in `ask.file`'s place: each run appends a line there. */
const runs = (file) => fs.readFileSync(file, 'utf8').split('\n').length - 1;

const TRANSPORTS = ['shared', 'ipc'];

for (const transport of TRANSPORTS) {
  describe(`getOrSet over ${transport}`, () => {
    const env = { RUSTCLUSTER_STORE: transport };
    let file;

    beforeEach(() => {
      file = path.join(folder(), 'runs');
      fs.writeFileSync(file, '');
    });
    afterEach(cleanUp);

    it('runs once for 1,000 callers in 8 workers', async () => {
      const { each } = await crew({ workers: 8, env });
      const answers = await each(async (store, file, { require }) => {
        const make = async () => {
          require('node:fs').appendFileSync(file, `${process.pid}\n`);
          await new Promise((resolve) => setTimeout(resolve, 50));
          return { users: 42 };
        };
        return Promise.all(Array.from({ length: 125 }, () => store.getOrSet('count', { ttl: 60_000 }, make)));
      }, file);
      assert.equal(runs(file), 1);
      assert.equal(answers.flat().length, 1000);
      for (const answer of answers.flat()) assert.deepEqual(answer, { users: 42 });
    });

    it('goes to another when the process that runs it is killed', async () => {
      const { on, pids } = await crew({ workers: 2, env });
      const first = on(
        0,
        async (store, file, { require }) => {
          return store.getOrSet('key', () => {
            require('node:fs').appendFileSync(file, 'first\n');
            return new Promise(() => {});
          });
        },
        file,
      );
      first.catch(() => {});
      while (runs(file) === 0) await new Promise(setImmediate);
      const second = on(1, async (store) => store.getOrSet('key', () => `by ${process.pid}`));
      process.kill(pids[0], 'SIGKILL');
      assert.equal(await second, `by ${pids[1]}`);
    });

    it('is rejected when its own store is closed in mid-run, and so is one who waits there', async () => {
      const { on } = await crew({ workers: 2, env });
      const codes = await on(0, async (_store, _arg, { require }) => {
        const { openStore } = require('rustcluster');
        const [one, other] = [openStore('test'), openStore('test')];
        const code = (error) => error.code;
        let end;
        const runs = one.getOrSet('key', () => new Promise((resolve) => (end = resolve))).catch(code);
        while (end === undefined) await new Promise(setImmediate);
        const waits = other.getOrSet('key', () => 'never').catch(code);
        await other.get('none');
        await other.close();
        await one.close();
        end('value');
        return Promise.all([runs, waits]);
      });
      assert.deepEqual(codes, ['ERR_STORE_CLOSED', 'ERR_STORE_CLOSED']);
      assert.equal(await on(1, (store) => store.getOrSet('key', () => 'by another')), 'by another');
    });

    it('that throws rejects all who wait, with the same error, and the next starts anew', async () => {
      const { each, on } = await crew({ workers: 3, env });
      // All are waiting before the first throws: each leaves a line when it has asked.
      const errors = await each(async (store, file, { require }) => {
        const fs = require('node:fs');
        const fail = async () => {
          while (fs.readFileSync(file, 'utf8').split('\n').length < 4) await new Promise((r) => setTimeout(r, 5));
          throw Object.assign(new TypeError(`from ${process.pid}`), { code: 'ERR_DATABASE' });
        };
        const asked = store.getOrSet('key', fail).catch((error) => [error.name, error.message, error.code]);
        // It reads, then claims; calls of one opening happen in their order: once this write is done, so is the claim.
        await store.get('none');
        await new Promise(setImmediate);
        await store.set(`asked:${process.pid}`, 1);
        fs.appendFileSync(file, `${process.pid}\n`);
        return asked;
      }, file);
      assert.deepEqual(errors[1], errors[0]);
      assert.deepEqual(errors[2], errors[0]);
      assert.equal(errors[0][0], 'TypeError');
      assert.equal(errors[0][2], 'ERR_DATABASE');
      assert.equal(await on(1, (store) => store.getOrSet('key', () => 'sound')), 'sound');
    });
  });
}

describe('getOrSet', () => {
  let store;

  before(() => {
    store = openStore('flights');
  });
  beforeEach(() => store.clear());
  after(() => store.close());

  it('stores what it made, for as long as it was told', async () => {
    assert.equal(await store.getOrSet('key', { ttl: 3_600_000 }, () => 'made'), 'made');
    assert.equal(store.getSync('key'), 'made');
    assert.ok((await store.ttl('key')) > 3_500_000);
    assert.equal(await store.getOrSet('key', () => assert.fail('it is there')), 'made');
  });

  it('gives each caller a copy of its own', async () => {
    const make = async () => ({ list: [1] });
    const [one, other] = await Promise.all([store.getOrSet('key', make), store.getOrSet('key', make)]);
    one.list.push(2);
    assert.deepEqual(other, { list: [1] });
    assert.deepEqual(await store.get('key'), { list: [1] });
  });

  it('stores nothing when it gives undefined', async () => {
    assert.equal(await store.getOrSet('key', () => undefined), undefined);
    assert.equal(store.hasSync('key'), false);
    assert.equal(await store.getOrSet('key', () => 1), 1);
  });

  it('rejects with what was thrown, be it an error or not, or cannot be stored', async () => {
    const error = new Error('of mine');
    await assert.rejects(
      store.getOrSet('key', () => {
        throw error;
      }),
      (thrown) => thrown === error,
    );
    await assert.rejects(
      store.getOrSet('key', () => () => {}),
      { name: 'DataCloneError' },
    );
    assert.equal(await store.getOrSet('key', () => 'sound'), 'sound');
  });

  it('works between two openings in one process, and goes on when one is closed in mid-run', async () => {
    const [one, other] = [openStore('flights'), openStore('flights')];
    let end;
    const first = one.getOrSet('key', () => new Promise((resolve) => (end = resolve)));
    while (end === undefined) await new Promise(setImmediate);
    const second = other.getOrSet('key', () => 'second');
    await one.close();
    assert.equal(await second, 'second');
    end('first');
    await assert.rejects(first, { code: 'ERR_STORE_CLOSED' });
    await other.close();
  });
});
