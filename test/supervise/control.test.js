'use strict';
// The control socket: only its user can open it, and every message has an answer.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { ask } = require('../../js/supervise/client.js');
const { cleanUp, fixture, pids, start, temporaryFolder } = require('../fixtures/supervise/harness.js');

const socketFile = () => path.join(temporaryFolder(), 'control.sock');

/** Writes text as it is, and resolves with the answers once the server closes or `count` have come. */
async function talk(file, text, count) {
  const socket = net.connect(file);
  let all = '';
  socket.setEncoding('utf8').on('data', (piece) => {
    all += piece;
    if (all.split('\n').length > count) socket.destroy();
  });
  socket.write(text);
  await once(socket, 'close');
  return all
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('the control socket', () => {
  afterEach(cleanUp);

  it('can be opened by its user only', async () => {
    const control = socketFile();
    await start(fixture('app.js'), { control });
    const { mode } = fs.statSync(control);
    assert.equal(mode & 0o777, 0o600);
  });

  it('lies in a folder that its user only can enter', async () => {
    const before = process.env.XDG_RUNTIME_DIR;
    process.env.XDG_RUNTIME_DIR = temporaryFolder();
    const folder = path.join(process.env.XDG_RUNTIME_DIR, 'rustcluster');
    try {
      const { supervisor } = await start(fixture('app.js'), { control: true, name: 'shop' });
      assert.equal(fs.statSync(folder).mode & 0o777, 0o700);
      assert.deepEqual(fs.readdirSync(folder), [`shop.${process.pid}.sock`]);
      await supervisor.shutdown();
      assert.deepEqual(fs.readdirSync(folder), []);
    } finally {
      if (before === undefined) delete process.env.XDG_RUNTIME_DIR;
      else process.env.XDG_RUNTIME_DIR = before;
    }
  });

  it('tells the status', async () => {
    const control = socketFile();
    const { supervisor } = await start(fixture('app.js'), { workers: 2, control });
    const { uptime: _now, ...told } = await ask(control, 'status');
    const { uptime: _then, ...known } = supervisor.status();
    assert.deepEqual(told, JSON.parse(JSON.stringify(known)));
  });

  it('reloads, and tells each step', async () => {
    const control = socketFile();
    const { supervisor } = await start(fixture('app.js'), { control });
    const [before] = pids(supervisor);
    const steps = [];
    const onProgress = ({ event, step }) => steps.push(step ?? event);
    const { reloads } = await ask(control, 'reload', undefined, { onProgress });
    assert.equal(reloads, 1);
    assert.deepEqual(steps, ['reload:start', 'worker:ready', 'ready', 'joined', 'retired']);
    assert.notEqual(pids(supervisor)[0], before);
  });

  it('tells of a refused reload as supervise() does', async () => {
    const control = socketFile();
    const app = path.join(temporaryFolder(), 'app.js');
    fs.copyFileSync(fixture('app.js'), app);
    await start(app, { control });
    fs.copyFileSync(fixture('throws.js'), app);
    await assert.rejects(ask(control, 'reload'), (error) => {
      assert.deepEqual([error.code, error.replaced, error.total, error.exitCode], ['ERR_RELOAD_REFUSED', 0, 1, 1]);
      assert.match(error.stderr, /this version is broken/);
      return true;
    });
  });

  it('scales and stops', async () => {
    const control = socketFile();
    const { supervisor } = await start(fixture('app.js'), { control });
    assert.equal((await ask(control, 'scale', { workers: 2 })).ready, 2);
    await ask(control, 'stop');
    assert.equal(supervisor.status().state, 'stopped');
    await assert.rejects(ask(control, 'status'), { code: 'ERR_NOT_RUNNING' });
    assert.equal(fs.existsSync(control), false);
  });

  it('answers what it does not understand', async () => {
    const control = socketFile();
    await start(fixture('app.js'), { control });
    const [unknown, wrong, missing] = await talk(
      control,
      '{"id":1,"method":"explode"}\n{"id":2,"method":"scale","params":{"workers":0}}\n{"id":3,"method":"scale"}\n',
      3,
    );
    assert.deepEqual([unknown.id, unknown.error.code], [1, 'ERR_INVALID_ARG_VALUE']);
    assert.deepEqual([wrong.id, wrong.error.code], [2, 'ERR_OUT_OF_RANGE']);
    assert.deepEqual([missing.id, missing.error.code], [3, 'ERR_INVALID_ARG_TYPE']);
    for (const text of ['no json\n', 'null\n', '"status"\n', '{"method":"constructor"}\n', '{"method":["status"]}\n']) {
      const [{ error }] = await talk(control, text, 1);
      assert.equal(error.code, 'ERR_INVALID_ARG_VALUE', text);
    }
    assert.equal((await ask(control, 'status')).state, 'running');
  });

  it('takes over a socket that a killed supervisor has left behind, and nothing else', async () => {
    const control = socketFile();
    // A server whose file stays: as SIGKILL leaves it.
    const draft = `${control}.old`;
    const old = net.createServer().listen(draft);
    fs.renameSync(draft, control);
    await new Promise((resolve) => old.close(resolve));
    const { supervisor } = await start(fixture('app.js'), { control });
    assert.equal((await ask(control, 'status')).pid, process.pid);
    await supervisor.shutdown();
    fs.writeFileSync(control, 'precious');
    await assert.rejects(start(fixture('app.js'), { control }), { code: 'ERR_CONTROL_SOCKET' });
    assert.equal(fs.readFileSync(control, 'utf8'), 'precious');
  });

  it('refuses a path that no socket can have', async () => {
    const control = path.join(temporaryFolder(), 'x'.repeat(120));
    await assert.rejects(start(fixture('app.js'), { control }), { code: 'ERR_CONTROL_SOCKET' });
    await assert.rejects(start(fixture('app.js'), { control: '/nowhere/at/all.sock' }), { code: 'ERR_CONTROL_SOCKET' });
    await start();
  });
});
