'use strict';
// GET /hash-file/:name and /compress/:name: one folder, and no way out of it.
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { setTimeout } = require('node:timers/promises');
const zlib = require('node:zlib');
const { ROOT } = require('../../examples/koa/lib/public-files.js');
const { request } = require('../fixtures/http.js');
const { close, listen } = require('../fixtures/koa.js');

const hello = fs.readFileSync(path.join(ROOT, 'hello.txt'));

describe('the file routes', () => {
  let port;
  // Made here and removed again: a repository should not hold such things.
  const traps = { link: 'trap-link', inside: 'trap-inside', folder: 'trap-folder', fifo: 'trap-fifo', dot: '.trap' };
  const at = (name) => path.join(ROOT, name);

  before(async () => {
    port = await listen();
    fs.symlinkSync('../app.js', at(traps.link));
    fs.symlinkSync('hello.txt', at(traps.inside));
    fs.mkdirSync(at(traps.folder));
    fs.writeFileSync(at(traps.dot), 'hidden');
    if (process.platform !== 'win32') execFileSync('mkfifo', [at(traps.fifo)]);
  });
  after(async () => {
    await close();
    for (const name of Object.values(traps)) fs.rmSync(at(name), { recursive: true, force: true });
  });

  it('hash a file', async () => {
    const { status, json } = await request(port, '/hash-file/hello.txt');
    assert.equal(status, 200);
    const { name, algorithm, hash, worker } = json();
    assert.deepEqual(
      { name, algorithm, hash, worker },
      {
        name: 'hello.txt',
        algorithm: 'sha256',
        hash: createHash('sha256').update(hello).digest('hex'),
        worker: process.pid,
      },
    );
  });

  it('compress a file, streaming', async () => {
    const { status, headers, body } = await request(port, '/compress/hello.txt');
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'application/gzip');
    assert.equal(headers['content-disposition'], 'attachment; filename="hello.txt.gz"');
    assert.deepEqual(zlib.gunzipSync(body), hello);
  });

  const secrets = [
    ['../app.js', 404],
    ['/etc/passwd', 404],
    ['..%2fapp.js', 403],
    ['%2e%2e%2fapp.js', 403],
    ['%2E%2E/app.js', 404],
    ['..%5capp.js', 403],
    ['..\\app.js', 403],
    ['%252e%252e%252fapp.js', 400],
    ['%c0%ae%c0%ae%c0%afapp.js', 400],
    ['%2fetc%2fpasswd', 403],
    ['hello.txt%00', 400],
    ['hello.txt%00.png', 400],
    ['%', 400],
    ['%zz', 400],
    ['.', 403],
    ['..', 403],
    ['%2e', 403],
    [traps.dot, 403],
    [traps.link, 403],
    [traps.inside, 403],
    [traps.folder, 403],
    [traps.fifo, 403],
    [`${traps.folder}%2f..%2fhello.txt`, 403],
    ['nowhere.txt', 404],
    ['hello.txt/', 404],
    ['hello.txt/x', 404],
    ['x'.repeat(300), 404],
    ['', 404],
  ];
  for (const route of ['/hash-file/', '/compress/']) {
    for (const [name, expected] of secrets) {
      it(`${route}${name.slice(0, 40)} gives nothing away`, async () => {
        const { status, headers, json } = await request(port, `${route}${name}`);
        assert.ok(status >= 400 && status < 500, `status ${status}`);
        assert.match(headers['content-type'], /^application\/json/);
        assert.equal(typeof json().code, 'string');
        assert.equal(status, expected);
      });
    }
  }

  it('leave no file open behind them', async function () {
    if (process.platform !== 'linux') this.skip();
    const open = () =>
      fs.readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(ROOT);
        } catch {
          return false;
        }
      });
    for (const name of ['hello.txt', traps.folder, traps.link, 'hello.txt']) {
      await request(port, `/hash-file/${name}`);
      await request(port, `/compress/${name}`);
    }
    // An answer's end and its file's close come in any order.
    while (open().length > 0) await setTimeout(5);
  });
});
