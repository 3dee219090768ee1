'use strict';
// How many processors there are for us: affinity and cgroup quota. The quota's arithmetic has its tests in Rust.
const assert = require('node:assert/strict');
const { execFileSync, spawnSync } = require('node:child_process');
const os = require('node:os');
const { availableParallelism } = require('rustcluster');

const program = `process.stdout.write(String(require(${JSON.stringify(require.resolve('rustcluster'))}).availableParallelism()))`;
const hasTaskset = process.platform === 'linux' && spawnSync('taskset', ['-V']).status === 0;

describe('availableParallelism()', () => {
  it('is a whole number, at least 1 and at most what the machine has', () => {
    const count = availableParallelism();
    assert.ok(Number.isInteger(count));
    assert.ok(count >= 1 && count <= os.cpus().length);
  });

  it('respects affinity', function () {
    if (!hasTaskset) this.skip();
    const first = /\d+/.exec(execFileSync('taskset', ['-cp', String(process.pid)], { encoding: 'utf8' }).split(':')[1]);
    const count = execFileSync('taskset', ['-c', first[0], process.execPath, '-e', program], { encoding: 'utf8' });
    assert.equal(count, '1');
  });
});
