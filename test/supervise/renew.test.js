'use strict';
// Workers that have grown too large or too old are renewed, the new one first.
const assert = require('node:assert/strict');
const { ageLimit, passedLimit } = require('../../js/supervise/limits.js');
const { request } = require('../fixtures/http.js');
const { cleanUp, fixture, pids, start, until } = require('../fixtures/supervise/harness.js');

describe('a limit', () => {
  it('of age is spread over a fifth, and never passed', () => {
    assert.equal(ageLimit(1000, 0), 1000);
    assert.equal(ageLimit(1000, 0.5), 900);
    assert.ok(ageLimit(1000, 0.999) >= 800);
  });

  it('is passed or not', () => {
    assert.equal(passedLimit({ age: 5 }), undefined);
    assert.equal(passedLimit({ age: 4, limit: 5 }), undefined);
    assert.equal(passedLimit({ age: 5, limit: 5 }), 'maxAge');
    assert.equal(passedLimit({ age: 5, memory: 10, maxMemory: 10 }), undefined);
    assert.equal(passedLimit({ age: 5, limit: 5, memory: 11, maxMemory: 10 }), 'maxMemory');
    assert.equal(passedLimit({ age: 5, maxMemory: 10 }), undefined);
  });
});

describe('a worker is renewed', () => {
  afterEach(cleanUp);

  it('when it has outgrown maxMemory', async () => {
    const maxMemory = 400 * 2 ** 20;
    const { supervisor, port } = await start(fixture('grows.js'), { maxMemory });
    const [before] = pids(supervisor);
    const steps = [];
    for (const step of ['renew', 'ready', 'draining']) supervisor.on(`worker:${step}`, () => steps.push(step));
    const renewed = until(supervisor, 'worker:renew');
    const exit = until(supervisor, 'worker:exit');
    for (let i = 0; i < 7; i += 1) await request(port, '/grow');
    const [{ pid }, { reason, memory }] = await renewed;
    assert.deepEqual([pid, reason], [before, 'maxMemory']);
    assert.ok(memory > maxMemory);
    const [, { code, expected }] = await exit;
    assert.deepEqual([code, expected], [0, true]);
    assert.deepEqual(steps, ['renew', 'ready', 'draining']);
    assert.notEqual(Number((await request(port, '/')).text), before);
  });

  it('when it is older than maxAge', async () => {
    const { supervisor } = await start(fixture('app.js'), { workers: 2, maxAge: 500 });
    // Whoever they are by now: the first may have been renewed while the second still started.
    const renewals = pids(supervisor).map((one) => until(supervisor, 'worker:renew', ({ pid }) => pid === one));
    for (const [, { reason, age }] of await Promise.all(renewals)) {
      assert.equal(reason, 'maxAge');
      assert.ok(age >= 400);
    }
  });
});
