'use strict';
// The queue, the limits and the abort of the kernel pool. Jobs are made long enough to be seen running by their input.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const { hash, kernels } = require('rustcluster');
const { occupy } = require('../fixtures/busy.js');

const LONG = Buffer.alloc(64 << 20);
/** Just too large to share a job with others. */
const SHORT = Buffer.alloc((32 << 10) + 1);

/** Waits until the pool looks as wanted: its counters change on other threads, with no event to await. */
async function until(wanted) {
  while (!wanted(kernels.stats())) await new Promise((resolve) => setImmediate(resolve));
}

describe('the kernel pool', () => {
  let before_;
  before(() => {
    before_ = kernels.stats();
    kernels.configure({ threads: 1 });
  });
  after(() => kernels.configure({ threads: before_.threads, maxQueue: before_.maxQueue }));
  afterEach(() => until(({ queued, running }) => queued === 0 && running === 0));

  it('refuses what passes maxQueue with ERR_QUEUE_FULL, and serves everything it took', async () => {
    kernels.configure({ maxQueue: 3 });
    const end = occupy();
    const waiting = Array.from({ length: 3 }, () => hash('sha256', SHORT));
    await assert.rejects(hash('sha256', SHORT), { code: 'ERR_QUEUE_FULL' });
    assert.deepEqual(
      { queued: 3, maxQueue: 3 },
      (({ queued, maxQueue }) => ({ queued, maxQueue }))(await stats(({ queued }) => queued === 3)),
    );
    await end();
    for (const digest of await Promise.all(waiting)) assert.match(digest, /^[0-9a-f]{64}$/);
    assert.match(await hash('sha256', SHORT), /^[0-9a-f]{64}$/);
    kernels.configure({ maxQueue: before_.maxQueue });
  });

  it('takes an aborted job out of the queue at once', async () => {
    const end = occupy();
    const controller = new AbortController();
    const waiting = hash('sha256', SHORT, { signal: controller.signal });
    controller.abort(new Error('changed my mind'));
    await assert.rejects(waiting, (error) => {
      assert.equal(error.name, 'AbortError');
      assert.equal(error.code, 'ABORT_ERR');
      assert.equal(error.cause.message, 'changed my mind');
      return true;
    });
    // The one before it has not ended.
    assert.equal(kernels.stats().running, 1);
    await end();
  });

  it('stops a running job long before it would end', async () => {
    const { completed, aborted } = kernels.stats();
    const end = occupy(50);
    await until(({ running }) => running === 1);
    const results = await end();
    assert.ok(results.every(({ status, reason }) => status === 'rejected' && reason.code === 'ABORT_ERR'));
    await until(({ running }) => running === 0);
    assert.equal(kernels.stats().completed, completed);
    assert.equal(kernels.stats().aborted, aborted + 50);
  });

  it('rejects at once for a signal that is aborted already, and leaves no listener on one that never is', async () => {
    await assert.rejects(hash('sha256', 'x', { signal: AbortSignal.abort() }), { code: 'ABORT_ERR' });
    const controller = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = controller.signal;
    controller.signal.addEventListener = function (...args) {
      listeners += 1;
      return addEventListener.apply(this, args);
    };
    controller.signal.removeEventListener = function (...args) {
      listeners -= 1;
      return removeEventListener.apply(this, args);
    };
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => hash('sha256', i % 2 ? SHORT : 'x', { signal: controller.signal })),
    );
    assert.equal(listeners, 0);
  });

  it('takes any number of jobs under one signal without a warning of a leak, and aborts them all', async () => {
    const warnings = [];
    const onWarning = (warning) => warnings.push(warning.name);
    process.on('warning', onWarning);
    const controller = new AbortController();
    const { signal } = controller;
    const first = await Promise.all(
      Array.from({ length: 30 }, (_, i) => hash('sha256', i % 2 ? SHORT : 'x', { signal })),
    );
    // So much work before the others that they hardly end by then.
    const long = Array.from({ length: 20 }, () => hash('sha256', LONG, { signal }));
    const jobs = Array.from({ length: 30 }, (_, i) => hash('sha256', i % 2 ? SHORT : 'x', { signal }));
    controller.abort();
    const results = await Promise.allSettled(jobs);
    await Promise.allSettled(long);
    // A warning is told in a later turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    assert.equal(new Set(first).size, 2);
    for (const [i, { status, value, reason }] of results.entries()) {
      // One on a thread may have ended before the abort on a busy machine; the small ones begin when this turn is over.
      if (i % 2 && status === 'fulfilled') assert.equal(value, first[i]);
      else assert.equal(reason.code, 'ABORT_ERR');
    }
    assert.deepEqual(warnings, []);
  });

  it('refuses limits out of range', () => {
    for (const options of [{ threads: 0 }, { threads: 1.5 }, { threads: 2000 }, { maxQueue: -1 }]) {
      assert.throws(() => kernels.configure(options), { code: 'ERR_OUT_OF_RANGE' });
    }
    assert.throws(() => kernels.configure({ threads: '2' }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => kernels.configure(null), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('keeps a process alive for its jobs and not a moment longer', async () => {
    const { spawn } = require('node:child_process');
    const script = "require('rustcluster').hash('sha256', Buffer.alloc(8 << 20)).then((d) => console.log(d.length))";
    const child = spawn(process.execPath, ['-e', script], {
      cwd: `${__dirname}/../..`,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    const [chunk] = await once(child.stdout, 'data');
    assert.equal(String(chunk), '64\n');
    assert.deepEqual(await ended, [0, null]);
  });

  it('lets a process exit in mid-job', async () => {
    const { spawn } = require('node:child_process');
    // One buffer for all: a Node 24 that exits while ten large ones make it collect garbage may hang by itself.
    const script = `const { hash, kernels } = require('rustcluster');
      const data = Buffer.alloc(32 << 20);
      for (let i = 0; i < 10; i++) hash('sha256', data);
      (function look() { kernels.stats().running > 0 ? process.exit(7) : setImmediate(look); })();`;
    const child = spawn(process.execPath, ['-e', script], { cwd: `${__dirname}/../..`, stdio: 'inherit' });
    assert.deepEqual(await once(child, 'exit'), [7, null]);
  });
});

async function stats(wanted) {
  await until(wanted);
  return kernels.stats();
}
