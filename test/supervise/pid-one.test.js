'use strict';
// As process 1 of a container: signals are obeyed, orphans that have ended do not stay in the process table.
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const { setTimeout } = require('node:timers/promises');
const { killCommands, startApp } = require('../fixtures/command.js');
const { request } = require('../fixtures/http.js');
const { fixture } = require('../fixtures/supervise/harness.js');

// A PID namespace of its own, as a container has it; it needs root, or user namespaces.
const kinds = [[], ['--user', '--map-root-user']].map((more) => [
  'unshare',
  ...more,
  '--pid',
  '--fork',
  '--mount-proc',
  '--kill-child',
]);
const runner = kinds.find(([file, ...args]) => spawnSync(file, [...args, 'true']).status === 0);

describe('process 1', () => {
  before(function () {
    if (runner === undefined) {
      console.log('    no PID namespace can be made here (unshare --pid): skipped');
      this.skip();
    }
  });
  afterEach(killCommands);

  it('takes orphans that have ended out of the process table', async () => {
    const { pid, port } = await startApp(fixture('orphans.js'), ['-w', '1'], { runner });
    assert.equal(pid, 1);
    const orphan = (await request(port, '/orphan')).text.trim();
    for (;;) {
      const processes = (await request(port, '/processes')).json();
      assert.ok(processes.includes('1'));
      if (!processes.includes(orphan)) return;
      await setTimeout(10);
    }
  });

  it('waits for its own workers as ever', async () => {
    const { line, port } = await startApp(fixture('app.js'), ['-w', '1'], { runner });
    await assert.rejects(request(port, '/crash'));
    await line(/worker 0 \(pid \d+\) ended with exit code 7; a new one starts in 100 ms/);
  });

  it('stops in order at SIGTERM', async () => {
    const { child, ended } = await startApp(fixture('app.js'), ['-w', '2'], { runner });
    // unshare passes nothing on: its child is told itself.
    const children = fs.readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
    process.kill(Number(children), 'SIGTERM');
    assert.equal((await ended).code, 0);
  });
});
