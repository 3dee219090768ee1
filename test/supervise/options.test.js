'use strict';
// Wrong arguments are refused before anything is started, each with its code.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const { Worker } = require('node:worker_threads');
const { supervise } = require('rustcluster');
const { begin, cleanUp, fixture, start } = require('../fixtures/supervise/harness.js');

describe('supervise() refuses', () => {
  afterEach(cleanUp);

  const exec = fixture('app.js');
  const cases = [
    ['no options', undefined, 'ERR_INVALID_ARG_TYPE'],
    ['options that are no object', 'app.js', 'ERR_INVALID_ARG_TYPE'],
    ['an exec that is no string', { exec: 5 }, 'ERR_INVALID_ARG_TYPE'],
    ['an exec that does not exist', { exec: './nowhere.js' }, 'ERR_INVALID_ARG_VALUE'],
    ['an exec with a null byte', { exec: 'a\0b' }, 'ERR_INVALID_ARG_VALUE'],
    ['no workers', { exec, workers: 0 }, 'ERR_OUT_OF_RANGE'],
    ['half a worker', { exec, workers: 1.5 }, 'ERR_OUT_OF_RANGE'],
    ['an unknown word for workers', { exec, workers: 'max' }, 'ERR_INVALID_ARG_VALUE'],
    ['a policy that is none', { exec, policy: 'fastest' }, 'ERR_INVALID_ARG_VALUE'],
    ['args that are no array', { exec, args: '-x' }, 'ERR_INVALID_ARG_TYPE'],
    ['an arg that is no string', { exec, args: ['a', 1] }, 'ERR_INVALID_ARG_TYPE'],
    ['an env value that is no string', { exec, env: { PORT: 3000 } }, 'ERR_INVALID_ARG_TYPE'],
    ['a timeout that no timer holds', { exec, drainTimeout: 2 ** 31 }, 'ERR_OUT_OF_RANGE'],
    ['a back-off that shrinks', { exec, backoff: { factor: 0.5 } }, 'ERR_OUT_OF_RANGE'],
    ['a flag that is no boolean', { exec, waitReady: 'yes' }, 'ERR_INVALID_ARG_TYPE'],
  ];
  for (const [what, options, code] of cases) {
    it(what, () => assert.throws(() => supervise(options), { code }));
  }

  it('a second supervisor in the process', async () => {
    await start();
    assert.throws(() => supervise({ exec }), { code: 'ERR_SUPERVISOR_STATE' });
  });

  it('to supervise from a worker thread', async () => {
    const program = `require(${JSON.stringify(require.resolve('rustcluster'))}).supervise({ exec: ${JSON.stringify(exec)} })`;
    const [error] = await once(new Worker(program, { eval: true }), 'error');
    assert.equal(error.code, 'ERR_SUPERVISOR_STATE');
  });

  it('changes once it stops', async () => {
    const { supervisor } = await start();
    const stopped = supervisor.shutdown();
    await assert.rejects(supervisor.reload(), { code: 'ERR_SUPERVISOR_STATE' });
    await assert.rejects(supervisor.scale(2), { code: 'ERR_SUPERVISOR_STATE' });
    await stopped;
  });

  it('a number of workers that is none', async () => {
    const supervisor = begin(exec);
    for (const count of [undefined, '2', null]) {
      assert.throws(() => supervisor.scale(count), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    for (const count of [0, -1, 1025, 1.5]) assert.throws(() => supervisor.scale(count), { code: 'ERR_OUT_OF_RANGE' });
  });
});
