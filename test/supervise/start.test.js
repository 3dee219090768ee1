'use strict';
// Starting: an unchanged app runs in N workers and they share its port.
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { request } = require('../fixtures/http.js');
const { answeredBy, begin, cleanUp, fixture, needs, pids, start, until } = require('../fixtures/supervise/harness.js');

describe('a supervised app', () => {
  afterEach(cleanUp);

  it('runs in as many workers as asked for, on one port', async () => {
    const { supervisor, port } = await start(fixture('app.js'), { workers: 3 });
    await answeredBy(port, pids(supervisor));
    const { state, workers, ready, restarts, crashes } = supervisor.status();
    assert.deepEqual(
      { state, workers, ready, restarts, crashes },
      { state: 'running', workers: 3, ready: 3, restarts: 0, crashes: 0 },
    );
  });

  it('tells each step of each worker', async () => {
    const supervisor = begin(fixture('app.js'), { workers: 2 });
    const steps = [[], []];
    for (const step of ['starting', 'listening', 'ready', 'draining', 'exit']) {
      supervisor.on(`worker:${step}`, ({ slot }) => steps[slot].push(step));
    }
    await supervisor.ready();
    await supervisor.shutdown();
    const life = ['starting', 'listening', 'ready', 'draining', 'exit'];
    assert.deepEqual(steps, [life, life]);
    assert.equal(supervisor.status().state, 'stopped');
  });

  it('gets its arguments, its environment and its place', async () => {
    const { port } = await start(fixture('app.js'), { args: ['--flag', 'a b'], env: { GREETING: 'hello' } });
    assert.deepEqual((await request(port, '/argv')).json(), { argv: ['--flag', 'a b'], greeting: 'hello' });
    assert.equal((await request(port, '/slot')).text, '0');
  });

  it('gets arguments and an environment of its own where they are functions', async () => {
    const { supervisor } = await start(fixture('app.js'), {
      workers: 2,
      args: (slot) => [`--shard=${slot}`],
      env: (slot) => ({ GREETING: `hello ${slot}` }),
    });
    const { port } = supervisor.status().list[0].addresses[0];
    const seen = new Map();
    while (seen.size < 2) {
      const { argv, greeting } = (await request(port, '/argv')).json();
      seen.set(greeting, argv);
    }
    for (const slot of [0, 1]) assert.deepEqual(seen.get(`hello ${slot}`), [`--shard=${slot}`]);
  });

  it('whose own arguments cannot be had is a failed start', async () => {
    const supervisor = begin(fixture('app.js'), { args: () => 'no list', maxCrashes: 1 });
    await assert.rejects(supervisor.ready(), (error) => {
      assert.equal(error.code, 'ERR_CRASH_LOOP');
      assert.match(error.message, /options\.args\(\)/);
      return true;
    });
  });

  it('may be an ES module', async () => {
    const { port } = await start(fixture('module.mjs'));
    assert.equal((await request(port, '/')).text, 'a module');
  });

  it('is ready when it says so, with waitReady', async () => {
    const supervisor = begin(fixture('says-ready.js'), { waitReady: true });
    const steps = [];
    supervisor.on('worker:listening', () => steps.push('listening'));
    supervisor.on('worker:ready', () => steps.push('ready'));
    await supervisor.ready();
    assert.deepEqual(steps, ['listening', 'ready']);
  });

  it('spreads connections by the policy asked for', async function () {
    needs(this, 'policies have no effect');
    const { port } = await start(fixture('app.js'), { workers: 3, policy: 'sticky' });
    const seen = new Set();
    for (let i = 0; i < 6; i += 1) seen.add((await request(port, '/')).text);
    assert.equal(seen.size, 1);
  });

  it('leaves node:cluster alone until supervise() is called', () => {
    const program = `
      const cluster = require('node:cluster');
      const { supervise } = require(${JSON.stringify(require.resolve('rustcluster'))});
      const { fork } = cluster;
      console.log(cluster.fork === fork && cluster.transport === undefined);
      supervise({ exec: ${JSON.stringify(fixture('app.js'))} }).shutdown();
      console.log(typeof cluster.transport);`;
    assert.equal(spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' }).stdout, 'true\nstring\n');
  });

  it('can be followed by another supervisor once it has stopped', async () => {
    const { supervisor } = await start();
    await supervisor.shutdown();
    const { port } = await start();
    assert.equal((await request(port, '/')).status, 200);
  });

  it('can be followed by another, on a port that serves, when its only worker crashed just before', async () => {
    const { supervisor } = await start();
    const exit = until(supervisor, 'worker:exit');
    process.kill(pids(supervisor)[0], 'SIGKILL');
    await exit;
    await supervisor.shutdown();
    const { port } = await start();
    assert.equal((await request(port, '/')).status, 200);
  });

  it('can be stopped before it has started', async () => {
    const supervisor = begin(fixture('app.js'), { workers: 2 });
    const ready = assert.rejects(supervisor.ready(), { code: 'ERR_SUPERVISOR_STATE' });
    await supervisor.shutdown();
    await ready;
  });
});
