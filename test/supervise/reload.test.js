'use strict';
// Reload: new workers first, no request lost, and a version that cannot start changes nothing.
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { openEcho, request } = require('../fixtures/http.js');
const { cleanUp, fixture, needs, pids, start, temporaryFolder, until } = require('../fixtures/supervise/harness.js');

/** An app file that the test can replace; copies keep their absolute imports only, so the fixtures have none. */
function replaceable(source) {
  const file = path.join(temporaryFolder(), 'app.js');
  fs.copyFileSync(fixture(source), file);
  return file;
}

/** Requests without a pause, from `clients` clients, until told to stop; `reload` makes a reload meanwhile. */
function load(port, clients, agent) {
  const tally = { ok: 0, failed: [], running: true };
  const one = async () => {
    while (tally.running) {
      await request(port, '/', { agent }).then(
        () => {
          tally.ok += 1;
        },
        (error) => tally.failed.push(error.code),
      );
    }
  };
  const done = Promise.all(Array.from({ length: clients }, one));
  /** @returns {Promise<number>} how many requests were answered while it went on */
  const reload = async (supervisor) => {
    const { ok } = tally;
    await supervisor.reload();
    return tally.ok - ok;
  };
  const stop = async () => {
    tally.running = false;
    await done;
    return tally;
  };
  return { reload, stop };
}

/** What becomes of a request, its error's code or its status, made by another process while this one waits for it. */
function outcomeOfRequest(port) {
  const program = `
    const tell = (outcome) => process.stdout.write(String(outcome), () => process.exit());
    const request = require('node:http').get({ host: '127.0.0.1', port: ${port} });
    request.on('response', ({ statusCode }) => tell(statusCode)).on('error', ({ code }) => tell(code));`;
  return execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' });
}

describe('a reload', () => {
  afterEach(cleanUp);

  it('is not seen by clients that keep their connections, in use or idle', async function () {
    needs(this, 'no connection is moved');
    const { supervisor, port } = await start(undefined, { workers: 2, probation: 0, drainTimeout: 60_000 });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
    let connects = 0;
    const { createConnection } = agent;
    agent.createConnection = (...args) => {
      connects += 1;
      return Reflect.apply(createConnection, agent, args);
    };
    const idle = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const [socket] = await request(port, '/', { agent: idle }).then(() => Object.values(idle.freeSockets).flat());
    const { stop } = load(port, 4, agent);
    const left = new Promise((resolve) => {
      const drains = [];
      supervisor.on('worker:drained', (_, drained) => drains.push(drained) === 2 && resolve(drains));
    });
    await supervisor.reload();
    for (const { timedOut } of await left) assert.equal(timedOut, false);
    const { ok, failed } = await stop();
    assert.deepEqual([failed, connects], [[], 4]);
    assert.ok(ok > 0);
    assert.match((await request(port, '/', { agent: idle })).body.toString(), /^\d+$/);
    assert.deepEqual(Object.values(idle.freeSockets).flat(), [socket], 'the same connection');
    agent.destroy();
    idle.destroy();
  });

  it('replaces every worker, and the old ones drain only when all new ones have proved themselves', async () => {
    const { supervisor } = await start(fixture('app.js'), { workers: 2 });
    const before = pids(supervisor);
    const steps = [];
    for (const step of ['starting', 'ready', 'draining']) {
      supervisor.on(`worker:${step}`, ({ slot }) => steps.push(`${step} ${slot}`));
    }
    await supervisor.reload();
    assert.deepEqual(steps, ['starting 0', 'ready 0', 'starting 1', 'ready 1', 'draining 0', 'draining 1']);
    const { list, reloads } = supervisor.status();
    const serving = list.filter(({ state }) => state === 'ready').map(({ pid }) => pid);
    assert.equal(serving.length, 2);
    assert.equal(serving.filter((pid) => before.includes(pid)).length, 0);
    assert.equal(reloads, 1);
  });

  it('fails no request of clients that connect anew each time', async () => {
    const { supervisor, port } = await start(fixture('app.js'), { workers: 2 });
    const { reload, stop } = load(port, 8);
    const during = [await reload(supervisor), await reload(supervisor)];
    const { failed } = await stop();
    assert.deepEqual(failed, []);
    assert.ok(Math.min(...during) > 0, `${during} requests`);
  });

  it('fails no request of clients that keep their connections', async () => {
    const { supervisor, port } = await start(fixture('app.js'), { workers: 2 });
    const agent = new http.Agent({ keepAlive: true });
    const { reload, stop } = load(port, 8, agent);
    const during = [await reload(supervisor), await reload(supervisor)];
    const { failed } = await stop();
    agent.destroy();
    assert.deepEqual(failed, []);
    assert.ok(Math.min(...during) > 0, `${during} requests`);
  });

  it('lets the old worker finish what it has begun', async () => {
    const { supervisor, port } = await start();
    const echo = await openEcho(port);
    await supervisor.reload();
    const exit = until(supervisor, 'worker:exit', ({ pid }) => pid === echo.pid);
    assert.notEqual(Number((await request(port, '/')).text), echo.pid);
    assert.equal(await echo.finish(), 'first last');
    assert.equal((await exit)[1].code, 0);
  });

  it('runs the code that is on the disk by then', async () => {
    const app = replaceable('app.js');
    const { supervisor, port } = await start(app);
    fs.writeFileSync(app, fs.readFileSync(app, 'utf8').replace('String(process.pid)', "'version 2'"));
    assert.notEqual((await request(port, '/')).text, 'version 2');
    await supervisor.reload();
    assert.equal((await request(port, '/')).text, 'version 2');
  });

  it('follows a symbolic link that was switched', async () => {
    const folder = temporaryFolder();
    for (const release of ['1', '2']) {
      fs.mkdirSync(path.join(folder, release));
      const text = fs.readFileSync(fixture('app.js'), 'utf8').replace('String(process.pid)', `'release ${release}'`);
      fs.writeFileSync(path.join(folder, release, 'app.js'), text);
    }
    const current = path.join(folder, 'current');
    fs.symlinkSync('1', current);
    const { supervisor, port } = await start(path.join(current, 'app.js'));
    assert.equal((await request(port, '/')).text, 'release 1');
    fs.unlinkSync(current);
    fs.symlinkSync('2', current);
    await supervisor.reload();
    assert.equal((await request(port, '/')).text, 'release 2');
  });

  for (const [what, source, message, options] of [
    ['throws at start', 'throws.js', /exit code 1[\s\S]*this version is broken/],
    // Sound versions have as long to start here.
    ['never listens', 'idle.js', /did not listen within 5000 ms/, { readyTimeout: 5000 }],
  ]) {
    it(`to a version that ${what} is refused, and the old workers stay`, async () => {
      const app = replaceable('app.js');
      const { supervisor, port } = await start(app, { workers: 2, ...options });
      const before = pids(supervisor);
      fs.copyFileSync(fixture(source), app);
      const refused = until(supervisor, 'reload:refused');
      await assert.rejects(supervisor.reload(), (error) => {
        assert.equal(error.code, 'ERR_RELOAD_REFUSED');
        assert.equal(error.cause.code, 'ERR_WORKER_START');
        assert.equal(error.replaced, 0);
        assert.equal(error.total, 2);
        assert.match(error.message, message);
        return true;
      });
      await refused;
      assert.ok(before.includes(Number((await request(port, '/')).text)));
      const ready = supervisor.status().list.filter(({ state }) => state === 'ready');
      assert.deepEqual(
        ready.map(({ pid }) => pid),
        before,
      );
      // And once the file is right again so is the reload.
      fs.copyFileSync(fixture('app.js'), app);
      await supervisor.reload();
    });
  }

  it('to a version that crashes after it was ready is refused before anybody has met it', async function () {
    needs(this, 'a new worker gets connections at once');
    const app = replaceable('app.js');
    const { supervisor, port } = await start(app, { workers: 2, probation: 20_000, env: { CRASH_AFTER: '50' } });
    const before = pids(supervisor);
    fs.copyFileSync(fixture('crashes-later.js'), app);
    const { stop } = load(port, 4);
    await assert.rejects(supervisor.reload(), (error) => {
      assert.deepEqual([error.code, error.replaced, error.exitCode], ['ERR_RELOAD_REFUSED', 0, 9]);
      assert.match(error.message, /ended with exit code 9 \d+ ms after it was ready[\s\S]*a fault that shows late/);
      return true;
    });
    const { ok, failed } = await stop();
    assert.deepEqual(failed, []);
    assert.ok(ok > 0);
    assert.deepEqual(
      supervisor
        .status()
        .list.filter(({ role }) => role === 'active')
        .map(({ pid, state }) => [pid, state]),
      before.map((pid) => [pid, 'ready']),
    );
  });

  it('half-way puts the old workers back, with their connections', async function () {
    needs(this, 'an old worker cannot be kept from getting connections');
    const app = replaceable('app.js');
    const { supervisor, port } = await start(app, { probation: 1000 });
    const echo = await openEcho(port);
    fs.copyFileSync(fixture('crashes-later.js'), app);
    const joined = [];
    supervisor.on('reload:step', ({ step }) => {
      // It crashes at its first request: in this very turn of the supervisor's loop, which may not get another one in time.
      if (step === 'joined') joined.push(outcomeOfRequest(port));
    });
    await assert.rejects(supervisor.reload(), { code: 'ERR_RELOAD_REFUSED', replaced: 1, total: 1 });
    assert.deepEqual(joined, ['ECONNRESET']);
    assert.equal(Number((await request(port, '/')).text), echo.pid);
    assert.equal(await echo.finish(), 'first last');
    assert.equal(supervisor.status().reloads, 0);
  });

  it('starts as many new workers at a time as concurrency says, and never has fewer ready than before', async () => {
    const { supervisor } = await start(fixture('app.js'), { workers: 4, concurrency: 2 });
    let starting = 0;
    let most = 0;
    const ready = [];
    supervisor.on('worker:starting', () => {
      starting += 1;
      most = Math.max(most, starting);
    });
    supervisor.on('worker:ready', () => {
      starting -= 1;
    });
    for (const event of ['starting', 'ready', 'draining', 'exit']) {
      supervisor.on(`worker:${event}`, () => ready.push(supervisor.status().ready));
    }
    await supervisor.reload();
    assert.equal(most, 2);
    assert.deepEqual([...new Set(ready)], [4]);
  });

  it('is not noticed by clients that keep their connections', async function () {
    needs(this, 'no connection is moved');
    const { supervisor, port } = await start(fixture('app.js'), { workers: 2 });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const before = Number((await request(port, '/', { agent })).text);
    const [socket] = Object.values(agent.freeSockets)[0];
    const drained = until(supervisor, 'worker:drained', ({ pid }) => pid === before);
    await supervisor.reload();
    assert.equal((await drained)[1].moved, 1);
    const after = Number((await request(port, '/', { agent })).text);
    assert.equal(Object.values(agent.freeSockets)[0][0], socket);
    assert.notEqual(after, before);
    agent.destroy();
  });

  it('waits for one that is under way', async () => {
    const { supervisor } = await start();
    const order = [];
    for (const event of ['reload:start', 'reload:end']) supervisor.on(event, () => order.push(event));
    await Promise.all([supervisor.reload(), supervisor.reload()]);
    assert.deepEqual(order, ['reload:start', 'reload:end', 'reload:start', 'reload:end']);
  });

  it('ends when the supervisor is stopped meanwhile', async () => {
    const { supervisor } = await start(fixture('app.js'), { workers: 2 });
    const starting = until(supervisor, 'worker:starting');
    const reload = assert.rejects(supervisor.reload(), { code: 'ERR_SUPERVISOR_STATE' });
    await starting;
    await supervisor.shutdown();
    await reload;
    assert.deepEqual(supervisor.status().list, []);
  });
});
