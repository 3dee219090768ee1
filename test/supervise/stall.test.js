'use strict';
// A worker whose event loop hangs is found out, killed and replaced; nobody else's connection is touched.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const { open, openEcho, request } = require('../fixtures/http.js');
const {
  cleanUp,
  connectedTo,
  fixture,
  isAlive,
  needs,
  pids,
  start,
  until,
} = require('../fixtures/supervise/harness.js');

/** Each of these tests takes as long. Less, and a busy machine would keep a sound worker off its cores for as long. */
const stallTimeout = 2000;

describe('a worker that hangs', () => {
  before(function () {
    needs(this, 'nobody can tell when a loop turns', ['uv']);
  });
  afterEach(cleanUp);

  it('is replaced, and the connections of others are not touched', async () => {
    const { supervisor, port } = await start(fixture('app.js'), { workers: 2, stallTimeout });
    const echo = await openEcho(port);
    const pid = pids(supervisor).find((one) => one !== echo.pid);
    const agent = await connectedTo(port, pid);
    const stalled = until(supervisor, 'worker:stalled');
    const exit = until(supervisor, 'worker:exit');
    const { res } = await open(port, '/block', { agent });
    const broken = once(res, 'error');
    const [worker, detail] = await stalled;
    assert.deepEqual([worker.pid, worker.role, detail], [pid, 'active', { stallTimeout }]);
    const [dead, { signal, expected }] = await exit;
    assert.deepEqual([dead.pid, signal, expected], [pid, 'SIGKILL', false]);
    await broken;
    agent.destroy();
    assert.equal(isAlive(pid), false);
    assert.equal(await echo.finish(), 'first last');
    while (supervisor.status().ready < 2) await until(supervisor, 'worker:ready');
    assert.equal(supervisor.status().stalls, 1);
    assert.notEqual(Number((await request(port, '/')).text), pid);
  });

  it('and is the only one leaves its connections to the next', async () => {
    const { supervisor, port } = await start(fixture('app.js'), { stallTimeout });
    const stalled = until(supervisor, 'worker:stalled');
    const { res } = await open(port, '/block');
    const broken = once(res, 'error');
    // Nobody can take these before the replacement.
    const answers = Promise.all(Array.from({ length: 5 }, () => request(port, '/')));
    const [{ pid }] = await stalled;
    for (const { text } of await answers) assert.notEqual(Number(text), pid);
    await broken;
  });

  it('makes no difference whether it computes or waits', async () => {
    const { supervisor, port } = await start(fixture('app.js'), { stallTimeout });
    const stalled = until(supervisor, 'worker:stalled');
    const { res } = await open(port, '/wait');
    const broken = once(res, 'error');
    await stalled;
    await broken;
  });

  it('is not one that idles', async () => {
    const { supervisor, port } = await start(fixture('app.js'), { stallTimeout });
    const idle = Number((await request(port, '/')).text);
    // Another one is found out meanwhile, so time enough has passed.
    await supervisor.scale(2);
    const stalled = until(supervisor, 'worker:stalled', ({ pid }) => pid !== idle);
    const other = supervisor.status().list.find(({ pid }) => pid !== idle).pid;
    process.kill(other, 'SIGSTOP');
    await stalled;
    assert.ok(supervisor.status().list.some(({ pid, state }) => pid === idle && state === 'ready'));
  });

  it('is left alone with stallTimeout 0', async () => {
    const { supervisor, port } = await start(fixture('app.js'), { stallTimeout: 0, drainTimeout: 50, killTimeout: 50 });
    const { res } = await open(port, '/block');
    res.on('error', () => {});
    await supervisor.shutdown();
    assert.equal(supervisor.status().stalls, 0);
  });
});
