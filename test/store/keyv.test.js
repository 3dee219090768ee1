'use strict';
// Keyv's own test suite for storage adapters, under mocha.
const assert = require('node:assert/strict');
const { expect } = require('expect');
const { default: Keyv } = require('keyv');
const { default: Keyv6 } = require('keyv-6');
const { default: keyvTestSuite, keyvIteratorTests } = require('@keyv/test-suite');
const { openStore } = require('rustcluster');
const KeyvStore = require('rustcluster/keyv');

/** The suite is written for vitest, which hands `expect` to each test; `expect` itself is the one of jest. */
const runner = (leftOut) => ({
  beforeEach,
  afterEach,
  it: (name, test) =>
    name === leftOut ||
    it(name, async () => {
      expect.setState({ assertionCalls: 0, expectedAssertionsNumber: null });
      await test({ expect });
      const [unmet] = expect.extractExpectedAssertionsErrors();
      if (unmet) throw unmet.error;
    }),
});

/** Keyv 6 answers for each key by itself. The suite is of Keyv 5's time, and there is none newer. */
const ONE_ANSWER = '.deleteMany([keys]) with nonexistent keys resolves to false';

describe('rustcluster/keyv', () => {
  const shared = openStore('keyv-suite');

  after(() => shared.close());

  for (const [version, Class, leftOut] of [
    [5, Keyv],
    [6, Keyv6, ONE_ANSWER],
  ]) {
    describe(`under Keyv ${version}`, () => {
      // As the suite wants it: each Keyv has an adapter of its own, and all adapters the same entries.
      keyvTestSuite(runner(leftOut), Class, () => new KeyvStore({ store: shared }));
      keyvIteratorTests(runner(leftOut), Class, () => new KeyvStore({ store: shared }));

      it('keeps namespaces apart that share one store, also when one is cleared', async () => {
        const [users, other] = ['users', 'other'].map(
          (namespace) => new Class({ store: new KeyvStore({ store: shared }), namespace }),
        );
        await users.set('key', 'of users');
        await other.set('key', 'of another');
        assert.equal(await users.get('key'), 'of users');
        const seen = [];
        for await (const entry of users.iterator()) seen.push(entry);
        assert.deepEqual(seen, [['key', 'of users']]);
        await users.clear();
        assert.deepEqual([await users.get('key'), await other.get('key')], [undefined, 'of another']);
      });
    });
  }

  it('writes, reads and asks for many at once', async () => {
    const keyv = new Keyv({ store: new KeyvStore({ store: shared }), namespace: 'many' });
    const entries = [
      { key: 'a', value: 1 },
      { key: 'b', value: 'two', ttl: 60_000 },
    ];
    assert.deepEqual(await keyv.setMany(entries), [true, true]);
    assert.deepEqual(await keyv.getMany(['a', 'b', 'c']), [1, 'two', undefined]);
    assert.deepEqual(await keyv.hasMany(['a', 'c']), [true, false]);
    assert.equal(await keyv.deleteMany(['a', 'b']), true);
  });

  it('closes the store it opened, and no other', async () => {
    const adapters = [new KeyvStore({ store: shared }), new KeyvStore({ name: 'keyv-own' })];
    for (const adapter of adapters) {
      await adapter.set('key', 'value', 0);
      await adapter.disconnect();
    }
    assert.equal(shared.getSync('key'), 'value');
    await assert.rejects(adapters[1].get('key'), { code: 'ERR_STORE_CLOSED' });
  });
});
