'use strict';
// A spare runs and waits, and takes the place of a worker that dies.
const assert = require('node:assert/strict');
const { answeredBy, cleanUp, fixture, needs, start, until } = require('../fixtures/supervise/harness.js');

const roles = (supervisor) => {
  const found = {};
  for (const { role, pid } of supervisor.status().list) found[role] = [...(found[role] ?? []), pid];
  return found;
};

describe('a spare', () => {
  before(function () {
    needs(this, 'nobody can be kept from getting connections');
  });
  afterEach(cleanUp);

  it('is started and gets no connections', async () => {
    const { supervisor, port } = await start(fixture('app.js'), { workers: 2, spares: 1 });
    const { active, spare } = roles(supervisor);
    assert.deepEqual([active.length, spare.length], [2, 1]);
    await answeredBy(port, active);
    const { workers, ready, spares } = supervisor.status();
    assert.deepEqual({ workers, ready, spares }, { workers: 2, ready: 2, spares: 1 });
  });

  it('takes the place of a worker that dies, before that one is started again', async () => {
    const { supervisor, port } = await start(fixture('app.js'), {
      spares: 1,
      backoff: { initial: 60_000, max: 60_000 },
    });
    const {
      active: [victim],
      spare: [spare],
    } = roles(supervisor);
    const exit = until(supervisor, 'worker:exit');
    process.kill(victim, 'SIGKILL');
    await exit;
    await answeredBy(port, [spare]);
    assert.equal(supervisor.status().ready, 1);
  });

  it('has a successor in the place of the dead one', async () => {
    const { supervisor, port } = await start(fixture('app.js'), { spares: 1, backoff: { initial: 1 } });
    const first = roles(supervisor);
    const ready = until(supervisor, 'worker:ready');
    process.kill(first.active[0], 'SIGKILL');
    const [{ pid, role }] = await ready;
    assert.equal(role, 'spare');
    assert.deepEqual(roles(supervisor), { active: first.spare, spare: [pid] });
    await answeredBy(port, first.spare);
    const again = until(supervisor, 'worker:ready');
    process.kill(first.spare[0], 'SIGKILL');
    await again;
    await answeredBy(port, [pid]);
  });

  it('serves when more workers are asked for, and is replaced', async () => {
    const { supervisor } = await start(fixture('app.js'), { spares: 1 });
    const { active, spare } = roles(supervisor);
    const ready = until(supervisor, 'worker:ready');
    await supervisor.scale(2);
    assert.deepEqual(roles(supervisor).active, [...active, ...spare]);
    await ready;
    assert.equal(supervisor.status().spares, 1);
  });

  it('is reloaded like the others, and stays a spare', async () => {
    const { supervisor, port } = await start(fixture('app.js'), { spares: 1 });
    const before = supervisor.status().list.map(({ pid }) => pid);
    await supervisor.reload();
    const { active, spare } = roles(supervisor);
    assert.deepEqual([active.length, spare.length], [1, 1]);
    for (const pid of [...active, ...spare]) assert.ok(!before.includes(pid));
    await answeredBy(port, active);
  });
});
