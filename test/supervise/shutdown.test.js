'use strict';
// Stopping in order: what runs is finished, what idles is closed, what hangs is killed.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const { open, openEcho, request } = require('../fixtures/http.js');
const { cleanUp, fixture, isAlive, needs, pids, start, until } = require('../fixtures/supervise/harness.js');

async function connected(port) {
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** All that is answered to a request until the connection ends; rejects when it is reset. */
async function answerOf(socket) {
  socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
  let text = '';
  for await (const chunk of socket.setEncoding('latin1')) text += chunk;
  return text;
}

describe('an orderly stop', () => {
  afterEach(cleanUp);

  it('finishes the request in flight and takes no new one', async () => {
    const { supervisor, port } = await start();
    const echo = await openEcho(port);
    const draining = until(supervisor, 'worker:draining');
    const stopped = supervisor.shutdown();
    // The last connections the primary accepts may wait for a worker that does not come: hence the time limit.
    while (await request(port, '/', { signal: AbortSignal.timeout(300) }).catch(() => false));
    await draining;
    assert.equal(supervisor.status().list[0].state, 'draining');
    assert.equal(await echo.finish(), 'first last');
    await stopped;
    assert.deepEqual(supervisor.status().list, []);
  });

  it('is told of as expected, with exit code 0', async () => {
    const { supervisor } = await start();
    const exit = until(supervisor, 'worker:exit');
    await supervisor.shutdown();
    const [, { code, signal, expected, delay }] = await exit;
    assert.deepEqual({ code, signal, expected, delay }, { code: 0, signal: null, expected: true, delay: undefined });
  });

  for (const [what, app, count] of [
    ['taken or not', 'app.js', 300],
    ['also by a worker that takes them for seconds', 'slow.js', 120],
  ]) {
    it(`answers those who are connected by then, ${what}`, async function () {
      needs(this, 'they are reset');
      const { supervisor, port } = await start(fixture(app));
      const [pid] = pids(supervisor);
      process.kill(pid, 'SIGSTOP');
      const clients = await Promise.all(Array.from({ length: count }, () => connected(port)));
      const answers = clients.map((client) => answerOf(client));
      const stopped = supervisor.shutdown();
      await assert.rejects(connected(port), { code: 'ECONNREFUSED' });
      process.kill(pid, 'SIGCONT');
      const wanted = new RegExp(`^HTTP/1.1 200[^]*\\b${pid}\\b`);
      for (const answer of await Promise.all(answers)) assert.match(answer, wanted);
      await stopped;
    });
  }

  it('gives those nobody can answer an end and no reset', async function () {
    needs(this, 'they are reset');
    const { supervisor, port } = await start(fixture('app.js'), { drainTimeout: 50, killTimeout: 50 });
    process.kill(pids(supervisor)[0], 'SIGSTOP');
    const clients = await Promise.all(Array.from({ length: 300 }, () => connected(port)));
    const answers = clients.map((client) => answerOf(client));
    await supervisor.shutdown();
    assert.deepEqual(new Set(await Promise.all(answers)), new Set(['']));
  });

  it('closes idle connections instead of waiting for them', async () => {
    const { supervisor, port } = await start(fixture('app.js'), { drainTimeout: 600_000 });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    await request(port, '/', { agent });
    const [idle] = Object.values(agent.freeSockets)[0];
    // Opened ahead, as browsers do, and never used.
    const silent = net.connect(port, '127.0.0.1');
    await once(silent, 'connect');
    // Connections reach the worker in order: once this one is answered it has the silent one, too.
    await request(port, '/');
    const closed = Promise.all([once(idle, 'close'), once(silent, 'close')]);
    // The worker's keepAliveTimeout and this drainTimeout are longer than a test may take.
    await supervisor.shutdown();
    await closed;
  });

  it('closes a kept connection after the answer that was under way', async () => {
    const { supervisor, port } = await start(fixture('app.js'), { drainTimeout: 600_000 });
    const agent = new http.Agent({ keepAlive: true });
    const echo = await openEcho(port, agent);
    const stopped = supervisor.shutdown();
    assert.equal(await echo.finish(), 'first last');
    await stopped;
    agent.destroy();
  });

  it("calls the app's own SIGTERM handler, but only once its requests are finished", async () => {
    const { supervisor, port } = await start(fixture('own-handler.js'));
    const echo = await openEcho(port);
    const exit = until(supervisor, 'worker:exit');
    const stopped = supervisor.shutdown();
    assert.equal(await echo.finish(), 'first last');
    await stopped;
    assert.deepEqual([(await exit)[1].code, (await exit)[1].expected], [3, true]);
  });

  it('ends what does not finish within drainTimeout', async () => {
    const { supervisor, port } = await start(fixture('app.js'), { drainTimeout: 100 });
    const echo = await openEcho(port);
    const stopping = until(supervisor, 'worker:stopping');
    await supervisor.shutdown();
    await stopping;
    await assert.rejects(echo.text);
  });

  it('kills a worker whose event loop hangs', async () => {
    const { supervisor, port } = await start(fixture('app.js'), { drainTimeout: 50, killTimeout: 50 });
    const [pid] = pids(supervisor);
    const { res } = await open(port, '/block');
    const broken = once(res, 'error');
    const exit = until(supervisor, 'worker:exit');
    await supervisor.shutdown();
    assert.equal((await exit)[1].signal, 'SIGKILL');
    assert.equal(isAlive(pid), false);
    await broken;
  });

  it('is cut short by force', async () => {
    const { supervisor, port } = await start();
    const echo = await openEcho(port);
    const stopped = supervisor.shutdown();
    supervisor.shutdown({ force: true });
    await stopped;
    await assert.rejects(echo.text);
  });
});
