'use strict';
// `rustcluster reload|scale|status|stop`: what they print and how they end.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { command, killCommands, startApp } = require('../fixtures/command.js');
const { request } = require('../fixtures/http.js');
const { fixture, temporaryFolder } = require('../fixtures/supervise/harness.js');

const quick = ['--probation', '20'];

/** What runs in other tests at the same time shall not be found: each test has a folder of its own. */
function runtime() {
  const env = { XDG_RUNTIME_DIR: temporaryFolder() };
  return {
    env,
    start: (file, ...args) => startApp(file, [...quick, ...args], { env }),
    run: (...args) => command(args, { env }).ended,
  };
}

describe('a running supervisor', () => {
  afterEach(killCommands);

  it('is reloaded, each step on a line of its own', async () => {
    const { start, run } = runtime();
    const { port } = await start(fixture('app.js'), '-w', '2');
    const before = (await request(port, '/')).text;
    const { code, stdout } = await run('reload');
    assert.equal(code, 0);
    const steps = stdout
      .replace(/pid \d+/g, 'pid')
      .trim()
      .split('\n');
    assert.equal(steps[0], 'rustcluster: reloading 2 workers');
    assert.equal(steps.at(-1), 'rustcluster: reloaded 2 workers');
    const about = (slot) => steps.filter((line) => line.includes(`worker ${slot} (pid)`));
    for (const slot of [0, 1]) {
      const [ready, serves, proved, ...more] = about(slot);
      assert.match(ready, /is ready, on probation \[\d\/2\]$/);
      assert.match(serves, /serves \[\d\/2\]$/);
      assert.match(proved, /has proved itself; the old one drains \[2\/2\]$/);
      assert.deepEqual(more, []);
    }
    assert.notEqual((await request(port, '/')).text, before);
  });

  it('refuses a broken version, with exit code 1 and the last words of the worker', async () => {
    const { start, run } = runtime();
    const app = path.join(temporaryFolder(), 'app.js');
    fs.copyFileSync(fixture('app.js'), app);
    await start(app, '-w', '1');
    fs.copyFileSync(fixture('throws.js'), app);
    const { code, stderr } = await run('reload');
    assert.equal(code, 1);
    assert.match(stderr, /^rustcluster: ERR_RELOAD_REFUSED: [\s\S]*this version is broken/);
  });

  it('is scaled, shown and stopped', async () => {
    const { start, run } = runtime();
    const { pid, ended } = await start(fixture('app.js'), '-w', '1', '--name', 'shop');
    assert.deepEqual((await run('scale', '3')).stdout, 'rustcluster: 3 of 3 workers ready\n');
    const { code, stdout } = await run('status', 'shop');
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^shop \\(pid ${pid}\\): running, 3 of 3 ready; 0 restarts`));
    assert.equal(stdout.match(/ready {2}active/g).length, 3);
    const json = JSON.parse((await run('status', '--json', String(pid))).stdout);
    assert.deepEqual([json.name, json.workers, json.list.length], ['shop', 3, 3]);
    assert.deepEqual((await run('stop', fixture('app.js'))).stdout, 'rustcluster: stopping\nrustcluster: stopped\n');
    assert.equal((await ended).code, 0);
  });

  it('has to be named where there are several', async () => {
    const { start, run } = runtime();
    const first = await start(fixture('app.js'), '-w', '1', '--name', 'one');
    const second = await start(fixture('app.js'), '-w', '1', '--name', 'two');
    const { code, stderr } = await run('stop');
    assert.equal(code, 2);
    for (const { pid } of [first, second]) assert.match(stderr, new RegExp(`\\n {2}${pid} (one|two) `));
    assert.equal((await run('stop', 'two', '--force')).code, 0);
    await second.ended;
    assert.match((await run('status')).stdout, /^one /);
  });

  it('is found at the path it was given', async () => {
    const { start, run } = runtime();
    const file = path.join(temporaryFolder(), 'c.sock');
    await start(fixture('app.js'), '-w', '1', '--control', file);
    assert.equal((await run('status')).code, 3);
    assert.equal((await run('status', '--control', file)).code, 0);
  });

  it('that was killed is not found, and its socket is removed', async () => {
    const { env, start, run } = runtime();
    const { child, ended } = await start(fixture('app.js'), '-w', '1');
    child.kill('SIGKILL');
    await ended;
    const { code, stderr } = await run('reload');
    assert.equal(code, 3);
    assert.match(stderr, /ERR_NOT_RUNNING: No supervisor runs/);
    assert.deepEqual(fs.readdirSync(path.join(env.XDG_RUNTIME_DIR, 'rustcluster')), []);
  });

  for (const [what, args, code, message] of [
    ['nothing to be found', ['reload'], 3, /ERR_NOT_RUNNING/],
    ['an app that does not run', ['stop', 'shop'], 3, /ERR_NOT_RUNNING: No supervisor runs shop/],
    ['scale without a number', ['scale'], 2, /missing required argument 'workers'/],
    ['scale 0', ['scale', '0'], 2, /whole number from 1 to 1024/],
  ]) {
    it(`is asked for in vain with ${what}: exit code ${code}`, async () => {
      const { run } = runtime();
      const { code: given, stderr } = await run(...args);
      assert.equal(given, code);
      assert.match(stderr, message);
    });
  }
});
