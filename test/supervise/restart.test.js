'use strict';
// What crashes comes back; what can only crash is reported.
const assert = require('node:assert/strict');
const { request } = require('../fixtures/http.js');
const { begin, cleanUp, fixture, pids, start, until } = require('../fixtures/supervise/harness.js');

describe('a worker that crashes', () => {
  afterEach(cleanUp);

  it('is started again after a pause, and its last words are known', async () => {
    const { supervisor, port } = await start(fixture('app.js'), { backoff: { initial: 20 } });
    const [before] = pids(supervisor);
    const exit = until(supervisor, 'worker:exit');
    const ready = until(supervisor, 'worker:ready');
    await assert.rejects(request(port, '/crash'), { code: 'ECONNRESET' });
    const [worker, detail] = await exit;
    assert.equal(worker.pid, before);
    assert.deepEqual(detail, { code: 7, signal: null, stderr: 'a last word', expected: false, delay: 20 });
    const [fresh] = await ready;
    assert.notEqual(fresh.pid, before);
    assert.equal((await request(fresh.addresses[0].port, '/')).text, String(fresh.pid));
    assert.equal(supervisor.status().restarts, 1);
    assert.equal(supervisor.status().crashes, 1);
  });

  it('is started again when it was killed', async () => {
    const { supervisor } = await start(fixture('app.js'), { workers: 2, backoff: { initial: 1 } });
    const [victim, other] = pids(supervisor);
    const exit = until(supervisor, 'worker:exit');
    const ready = until(supervisor, 'worker:ready');
    process.kill(victim, 'SIGKILL');
    const [, { code, signal, expected }] = await exit;
    assert.deepEqual({ code, signal, expected }, { code: null, signal: 'SIGKILL', expected: false });
    await ready;
    assert.ok(pids(supervisor).includes(other), 'the other worker was not touched');
  });

  it('waits longer each time, and briefly again after a sound life', async () => {
    const options = { minUptime: 60_000, backoff: { initial: 2, factor: 10 } };
    const { supervisor } = await start(fixture('app.js'), options);
    const delays = [];
    for (let i = 0; i < 3; i += 1) {
      const exit = until(supervisor, 'worker:exit');
      const ready = until(supervisor, 'worker:ready');
      process.kill(pids(supervisor)[0], 'SIGKILL');
      delays.push((await exit)[1].delay);
      await ready;
    }
    assert.deepEqual(delays, [2, 20, 200]);
  });

  it('at every start ends the supervisor, which says why', async () => {
    const supervisor = begin(fixture('throws.js'), { maxCrashes: 3, backoff: { initial: 1 } });
    let starts = 0;
    supervisor.on('worker:starting', () => {
      starts += 1;
    });
    const stopped = new Promise((resolve) => supervisor.once('shutdown:end', resolve));
    await assert.rejects(supervisor.ready(), (error) => {
      assert.equal(error.code, 'ERR_CRASH_LOOP');
      assert.equal(error.slot, 0);
      assert.equal(error.exitCode, 1);
      assert.equal(error.signal, null);
      assert.match(error.stderr, /this version is broken/);
      assert.match(error.message, /exit code 1[\s\S]*this version is broken/);
      return true;
    });
    await stopped;
    assert.equal(starts, 3);
  });

  it("is an 'error' event, too, where somebody listens", async () => {
    const supervisor = begin(fixture('throws.js'), { maxCrashes: 1 });
    const [error] = await until(supervisor, 'error');
    assert.equal(error.code, 'ERR_CRASH_LOOP');
  });

  it('because it never gets ready counts as crashed', async () => {
    const supervisor = begin(fixture('idle.js'), { maxCrashes: 1, readyTimeout: 200 });
    await assert.rejects(supervisor.ready(), { code: 'ERR_CRASH_LOOP' });
  });
});
