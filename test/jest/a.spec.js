'use strict';
// Two files like this one run in one process: jest evaluates the package anew for each of them.
const { createHash } = require('node:crypto');
const { hash, flip, kernels } = require('rustcluster');

test('hashes while another copy of the module lives in the process', async () => {
  const data = Buffer.alloc(1 << 20, 'a');
  const want = createHash('sha256').update(data).digest('hex');
  const digests = await Promise.all(Array.from({ length: 20 }, () => hash('sha256', data)));
  expect(digests).toEqual(Array(20).fill(want));
});

test("takes memory and signals of the sandbox, whose classes are not the main realm's", async () => {
  await expect(hash('sha256', new Uint8Array([97, 98, 99]).buffer)).resolves.toMatch(/^ba7816bf/);
  await expect(hash('sha256', 'x', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORT_ERR' });
  await expect(flip('text')).rejects.toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
});

test('shares one pool with the other copy', () => {
  expect(kernels.stats().threads).toBeGreaterThan(0);
});

test('opens a store that another copy of the module may have open', async () => {
  const { openStore } = require('rustcluster');
  const [store, again] = [openStore('jest'), openStore('jest')];
  await store.set('a', { list: new Uint8Array([1, 2]), when: new Date(0) });
  expect(again.getSync('a').list[1]).toBe(2);
  await expect(store.getOrSet('made a', async () => 'once')).resolves.toBe('once');
  await expect(store.incr('made a')).rejects.toMatchObject({ code: 'ERR_STORE_NOT_NUMBER' });
  await Promise.all([store.close(), again.close()]);
});
