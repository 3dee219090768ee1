'use strict';
// Scaling: more workers, fewer workers, and none of them loses a request.
const assert = require('node:assert/strict');
const cluster = require('node:cluster');
const http = require('node:http');
const { setTimeout } = require('node:timers/promises');
const { openEcho, request } = require('../fixtures/http.js');
const { answeredBy, cleanUp, connectedTo, fixture, needs, pids, start } = require('../fixtures/supervise/harness.js');

describe('scaling', () => {
  afterEach(cleanUp);

  it('up starts workers that serve the same port', async () => {
    const { supervisor, port } = await start();
    const [first] = pids(supervisor);
    await supervisor.scale(3);
    const now = pids(supervisor);
    assert.equal(now.length, 3);
    assert.equal(now[0], first);
    await answeredBy(port, now);
  });

  it('up evens out kept connections, with rebalance', async function () {
    needs(this, 'no connection is moved');
    const { supervisor, port } = await start(fixture('app.js'), { rebalance: true });
    const agents = Array.from({ length: 8 }, () => new http.Agent({ keepAlive: true, maxSockets: 1 }));
    for (const agent of agents) await request(port, '/', { agent });
    await supervisor.scale(2);
    // Those on their way count, and are taken back from a worker that gets no core to read them.
    const isEven = () => cluster.connections().every(({ active, waiting }) => active === 4 && waiting === 0);
    while (!isEven()) await setTimeout(5);
    const seen = new Map();
    for (const agent of agents) {
      const { text } = await request(port, '/', { agent });
      seen.set(text, (seen.get(text) ?? 0) + 1);
    }
    // Not before: connections that end unevenly are evened out again.
    for (const agent of agents) agent.destroy();
    assert.deepEqual([...seen.values()], [4, 4]);
  });

  it('down lets those too many finish', async () => {
    const { supervisor, port } = await start(fixture('app.js'), { workers: 2 });
    const [keep] = pids(supervisor);
    const agents = await Promise.all(pids(supervisor).map((pid) => connectedTo(port, pid)));
    const echoes = await Promise.all(agents.map((agent) => openEcho(port, agent)));
    const scaled = supervisor.scale(1);
    for (const echo of echoes) assert.equal(await echo.finish(), 'first last');
    await scaled;
    for (const agent of agents) agent.destroy();
    assert.deepEqual(pids(supervisor), [keep]);
    assert.equal(supervisor.status().workers, 1);
  });

  it('down and up again gives the place to a new worker', async () => {
    const { supervisor } = await start(fixture('app.js'), { workers: 2 });
    const [, second] = pids(supervisor);
    await supervisor.scale(1);
    await supervisor.scale(2);
    const { list } = supervisor.status();
    assert.equal(list[1].slot, 1);
    assert.notEqual(list[1].pid, second);
  });
});
