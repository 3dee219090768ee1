'use strict';
// The other routes, and what all of them have in common.
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { createHash } = require('node:crypto');
const { once } = require('node:events');
const http = require('node:http');
const path = require('node:path');
const { killCommands, startApp } = require('../fixtures/command.js');
const { request } = require('../fixtures/http.js');
const { close, listen } = require('../fixtures/koa.js');

const app = path.join(__dirname, '../../examples/koa/app.js');

describe('the Koa example', () => {
  let port;
  before(async () => {
    port = await listen();
  });
  after(close);

  it('GET / answers the PID', async () => {
    const { status, headers, text } = await request(port, '/');
    assert.deepEqual([status, text], [200, `PID: ${process.pid}\n`]);
    assert.match(headers['x-response-time'], /^\d+(\.\d+)?ms$/);
  });

  it('POST /hash hashes what streams in', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'abc');
    const want = createHash('sha256');
    const req = http.request({ host: '127.0.0.1', port, path: '/hash', method: 'POST', agent: false });
    const response = once(req, 'response');
    for (let i = 0; i < 100; i += 1) {
      want.update(chunk);
      if (!req.write(chunk)) await once(req, 'drain');
    }
    req.end();
    const [res] = await response;
    const { algorithm, hash, worker } = JSON.parse((await res.toArray()).join(''));
    assert.deepEqual([algorithm, hash, worker], ['sha256', want.digest('hex'), process.pid]);
  });

  it('POST /hash of nothing is the hash of nothing', async () => {
    const { json } = await request(port, '/hash', { method: 'POST' });
    assert.equal(json().hash, createHash('sha256').digest('hex'));
  });

  it('survives a client that leaves in mid-hash', async () => {
    const req = http.request({ host: '127.0.0.1', port, path: '/hash', method: 'POST', agent: false });
    req.on('error', () => {});
    req.write('x');
    await once(req, 'socket');
    req.destroy();
    assert.equal((await request(port, '/')).status, 200);
  });

  it('GET /metrics tells of requests, CPU, memory, the loop and the kernels', async () => {
    const before = (await request(port, '/metrics')).json();
    await request(port, '/nowhere');
    const { pid, requests, cpu, memory, loopDelay, kernels } = (await request(port, '/metrics')).json();
    assert.equal(pid, process.pid);
    assert.equal(requests, before.requests + 2);
    assert.ok(cpu.user > 0 && memory.rss > 0 && loopDelay.p99 >= 0);
    assert.equal(typeof kernels.completed, 'number');
  });

  for (const [method, target] of [
    ['GET', '/nowhere'],
    ['GET', '/flip'],
    ['DELETE', '/'],
    ['POST', '/metrics'],
    ['GET', '//'],
  ]) {
    it(`${method} ${target} is 404, as JSON with a code`, async () => {
      const { status, json } = await request(port, target, { method });
      assert.deepEqual([status, json().code], [404, 'ERR_NOT_FOUND']);
    });
  }
});

describe('the Koa example as a program', () => {
  afterEach(killCommands);

  it('runs in one process, writes a time-stamped log, and ends in order', async () => {
    const env = { ...process.env, PORT: '0', HOST: '127.0.0.1', LOG: '' };
    const child = spawn(process.execPath, [app], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.setEncoding('utf8');
    const ended = once(child, 'close');
    let log = '';
    const listening = new Promise((resolve) => {
      child.stdout.on('data', (text) => {
        log += text;
        const match = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(log);
        if (match) resolve(match[1]);
      });
    });
    assert.equal((await request(await listening, '/')).text, `PID: ${child.pid}\n`);
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
    assert.match(log, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \[\d+\] GET \/ 200 [\d.]+ms$/m);
  });

  it('runs on several cores under rustcluster start, unchanged', async () => {
    const { child, port, ended } = await startApp(app, ['-w', '2'], { env: { HOST: '127.0.0.1', LOG: 'off' } });
    const seen = new Set();
    for (let i = 0; i < 6; i += 1) seen.add((await request(port, '/')).text);
    assert.equal(seen.size, 2);
    child.kill('SIGTERM');
    assert.equal((await ended).code, 0);
  });
});
