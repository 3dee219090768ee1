'use strict';
// The preload turns an app that knows only node:cluster over; without it nothing changes.
const assert = require('node:assert/strict');
const { passes, run, TRANSPORTS } = require('./run.js');

const [best] = TRANSPORTS;

describe('rustcluster/register', () => {
  it('works with -r', async () => {
    const output = await passes('plain.js', { execArgv: ['-r', 'rustcluster/register'] });
    assert.equal(output.trim(), `${best} ${best}`);
  });

  for (const file of ['plain.js', 'plain.mjs']) {
    it(`works with --import for ${file}`, async () => {
      const output = await passes(file, { execArgv: ['--import', 'rustcluster/register'] });
      assert.equal(output.trim(), `${best} ${best}`);
    });
  }

  it('is what makes the difference', async () => {
    assert.equal((await passes('plain.js')).trim(), 'undefined undefined');
  });

  it('follows RUSTCLUSTER_TRANSPORT', async () => {
    const execArgv = ['-r', 'rustcluster/register'];
    const output = await passes('plain.js', { execArgv, env: { RUSTCLUSTER_TRANSPORT: 'stock' } });
    assert.equal(output.trim(), 'stock stock');
    const { code, output: refusal } = await run('plain.js', { execArgv, env: { RUSTCLUSTER_TRANSPORT: 'pigeon' } });
    assert.equal(code, 1);
    assert.match(refusal, /ERR_INVALID_ARG_VALUE/);
    assert.match(refusal, /must be one of uv, thread, stock\. Received 'pigeon'/);
  });

  it('leaves everything to node:cluster where addons may not be loaded', async () => {
    const known = (name) => process.allowedNodeEnvironmentFlags.has(name);
    // Node 20 still calls it experimental; the network is restricted from Node 25 on.
    const permission = known('--permission') ? '--permission' : '--experimental-permission';
    const network = known('--allow-net') ? ['--allow-net'] : [];
    const allowed = ['--allow-fs-read=*', '--allow-fs-write=*', '--allow-child-process', ...network];
    const output = await passes('plain.js', { execArgv: [permission, ...allowed, '-r', 'rustcluster/register'] });
    assert.match(output, /^stock stock$/m);
    if (process.platform === 'linux') {
      assert.match(output, /disabled\. Allow it with --allow-addons\. Connections go the way of node:cluster/);
    }
  });

  it('is the same object when imported', async () => {
    assert.equal((await passes('import.mjs')).trim(), best);
  });
});
