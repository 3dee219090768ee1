'use strict';
// `rustcluster start`: what it prints and how it ends.
const assert = require('node:assert/strict');
const { command, killCommands, startApp } = require('../fixtures/command.js');
const { request } = require('../fixtures/http.js');
const { fixture } = require('../fixtures/supervise/harness.js');
const { version } = require('../../package.json');

const app = fixture('app.js');

describe('rustcluster start', () => {
  afterEach(killCommands);

  it('tells its pid, its workers and where it listens', async () => {
    const { child, line, port } = await startApp(app, ['--workers', '2']);
    const [whole] = await line(/rustcluster: .*ready.*/);
    assert.equal(whole, `rustcluster: 2 workers ready, pid ${child.pid}, http://127.0.0.1:${port}`);
  });

  it('runs one worker per processor unless told', async () => {
    const { availableParallelism } = require('rustcluster');
    const { line } = await startApp(app);
    const [, count] = await line(/: (\d+) workers? ready/);
    assert.equal(Number(count), availableParallelism());
  });

  it('hands arguments after -- to the app, and --port as PORT', async () => {
    const { port } = await startApp(app, ['-w', '1', '--port', '0', '--', '--flag', 'a b'], { env: { PORT: '1' } });
    assert.deepEqual((await request(port, '/argv')).json().argv, ['--flag', 'a b']);
  });

  it('gives up on an app that cannot start, with its last words and exit code 1', async () => {
    const { code, stderr } = await command(['start', fixture('throws.js'), '-w', '1', '--max-crashes', '2']).ended;
    assert.equal(code, 1);
    assert.match(stderr, /ERR_CRASH_LOOP: Worker 0 \(pid \d+\) ended with exit code 1, 2 times in a row/);
    assert.match(stderr.split('ERR_CRASH_LOOP')[1], /Error: this version is broken/);
  });

  for (const [what, args, message] of [
    ['no app', ['start'], /missing required argument 'app'/],
    ['an app that does not exist', ['start', 'nowhere.js'], /ERR_INVALID_ARG_VALUE: .*does not exist: .*nowhere\.js/],
    ['-w 0', ['start', app, '-w', '0'], /whole number from 1 to 1024/],
    ['-w many', ['start', app, '-w', 'many'], /whole number from 1 to 1024/],
    ['a port that is none', ['start', app, '--port', '65536'], /whole number from 0 to 65535/],
    ['an unknown option', ['start', '--instances', '2', app], /unknown option '--instances'/],
    ['an unknown command', ['begin'], /unknown command 'begin'/],
    ['nothing', [], /Usage: rustcluster/],
  ]) {
    it(`refuses ${what}, with exit code 2`, async () => {
      const { code, stderr, stdout } = await command(args).ended;
      assert.equal(code, 2);
      assert.match(stderr, message);
      assert.equal(stdout, '');
    });
  }

  it('prints help and version, with exit code 0', async () => {
    const [help, number] = await Promise.all([command(['start', '--help']).ended, command(['--version']).ended]);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /--workers <n>/);
    assert.deepEqual([number.code, number.stdout.trim()], [0, version]);
  });
});
