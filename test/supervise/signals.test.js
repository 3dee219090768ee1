'use strict';
// What each signal does to `rustcluster start`, and that no worker outlives its primary.
const assert = require('node:assert/strict');
const { setTimeout } = require('node:timers/promises');
const { startApp, killCommands } = require('../fixtures/command.js');
const { open, openEcho, request } = require('../fixtures/http.js');
const { fixture, isAlive } = require('../fixtures/supervise/harness.js');

const app = fixture('app.js');

describe('a signal', () => {
  afterEach(killCommands);

  for (const signal of ['SIGTERM', 'SIGINT']) {
    it(`${signal} stops in order, with exit code 0`, async () => {
      const { child, line, ended, port } = await startApp(app, ['-w', '2']);
      const echo = await openEcho(port);
      child.kill(signal);
      await line(/stopping/);
      assert.equal(await echo.finish(), 'first last');
      const { code, signal: by } = await ended;
      assert.deepEqual({ code, by }, { code: 0, by: null });
    });
  }

  for (const [signal, sender] of Object.entries({ SIGINT: 'Ctrl-C', SIGTERM: 'systemd' })) {
    it(`${signal} to the whole group, as ${sender} sends it, loses no request and breaks no worker`, async () => {
      const { child, line, ended, port } = await startApp(app, ['-w', '4'], { detached: true });
      const echoes = [await openEcho(port), await openEcho(port)];
      process.kill(-child.pid, signal);
      await line(/stopping/);
      for (const echo of echoes) assert.equal(await echo.finish(), 'first last');
      const { code, stdout, stderr } = await ended;
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
      assert.doesNotMatch(stdout, /exit code [^0]|by SIG/);
    });
  }

  it('SIGTERM for a second time stops at once', async () => {
    const { child, line, ended, port } = await startApp(app, ['-w', '1']);
    const echo = await openEcho(port);
    child.kill('SIGTERM');
    await line(/stopping/);
    child.kill('SIGTERM');
    await assert.rejects(echo.text);
    assert.equal((await ended).code, 0);
    assert.equal(isAlive(echo.pid), false);
  });

  for (const args of [[], ['--no-move-connections']]) {
    it(`SIGTERM to one worker drains it, and another takes its place ${args}`, async () => {
      const { line, port } = await startApp(app, ['-w', '1', ...args]);
      const echo = await openEcho(port);
      process.kill(echo.pid, 'SIGTERM');
      assert.equal(await echo.finish(), 'first last');
      await line(new RegExp(`worker 0 \\(pid ${echo.pid}\\) ended with exit code 0; a new one starts in 100 ms`));
    });
  }

  for (const signal of ['SIGUSR2', 'SIGHUP']) {
    it(`${signal} reloads`, async () => {
      const { child, line, port } = await startApp(app, ['-w', '1', '--probation', '50']);
      const before = (await request(port, '/')).text;
      child.kill(signal);
      await line(/reloaded 1 worker/);
      assert.notEqual((await request(port, '/')).text, before);
    });
  }

  it('SIGTTIN starts one worker more, SIGTTOU ends one', async () => {
    const { child, line } = await startApp(app, ['-w', '1']);
    child.kill('SIGTTIN');
    await line(/scaling from 1 to 2 workers/);
    child.kill('SIGTTOU');
    await line(/scaling from 2 to 1 worker\b/);
  });

  for (const path of ['/block', '/wait']) {
    it(`SIGKILL to the primary takes along a worker whose event loop hangs in ${path}`, async () => {
      const { child, ended, port } = await startApp(app, ['-w', '1']);
      const pid = Number((await request(port, '/')).text);
      const { res } = await open(port, path);
      res.on('error', () => {});
      child.kill('SIGKILL');
      await ended;
      while (isAlive(pid)) await setTimeout(5);
    });
  }

  it('SIGKILL to the primary takes the workers along', async () => {
    const { child, ended, port } = await startApp(app, ['-w', '1']);
    const { res } = await open(port, '/echo', { method: 'POST', body: 'x' });
    const gone = new Promise((resolve) => res.once('error', resolve));
    child.kill('SIGKILL');
    await gone;
    await ended;
    // A process whose files are closed may still be in the table, for its new parent to reap.
    while (isAlive(Number(res.headers['x-pid']))) await setTimeout(5);
  });
});
