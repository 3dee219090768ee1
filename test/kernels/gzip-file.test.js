'use strict';
// gzipFile and gunzipFile: whole destinations or none, progress, aborts.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { once } = require('node:events');
const { Worker } = require('node:worker_threads');
const zlib = require('node:zlib');
const { gunzipFile, gzip, gzipFile, hashFile } = require('rustcluster');

describe('gzip of files', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rustcluster-gzip-'));
  const at = (name) => path.join(folder, name);
  const data = Buffer.from(Array.from({ length: 700_000 }, (_, i) => `${i * i} line\n`).join(''));
  before(() => fs.writeFileSync(at('source'), data));
  after(() => fs.rmSync(folder, { recursive: true }));
  const expectOnly = (...names) => assert.deepEqual(fs.readdirSync(folder).sort(), [...names].sort());

  afterEach(() => {
    for (const name of fs.readdirSync(folder)) if (name !== 'source') fs.rmSync(at(name));
  });

  it('gives the bytes gzip gives, and back', async () => {
    const info = await gzipFile(at('source'), at('packed'));
    const packed = fs.readFileSync(at('packed'));
    assert.deepEqual(info, { bytesIn: data.length, bytesOut: packed.length });
    assert.ok(packed.equals(await gzip(data)));
    assert.ok(zlib.gunzipSync(packed).equals(data));
    const back = await gunzipFile(at('packed'), at('back'));
    assert.deepEqual(back, { bytesIn: packed.length, bytesOut: data.length });
    assert.ok(fs.readFileSync(at('back')).equals(data));
  });

  it('works in place and on empty files', async () => {
    fs.writeFileSync(at('file'), data.subarray(0, 5000));
    await gzipFile(at('file'), at('file'), { level: 9 });
    await gunzipFile(at('file'), at('file'));
    assert.ok(fs.readFileSync(at('file')).equals(data.subarray(0, 5000)));
    fs.writeFileSync(at('file'), '');
    assert.equal((await gzipFile(at('file'), at('file'))).bytesIn, 0);
    assert.equal((await gunzipFile(at('file'), at('file'))).bytesOut, 0);
  });

  it('reports progress up to the end', async () => {
    for (const job of [
      (options) => gzipFile(at('source'), at('packed'), options),
      (options) => gunzipFile(at('packed'), at('back'), options),
      (options) => hashFile('sha256', at('source'), options),
    ]) {
      const calls = [];
      await job({ onProgress: (progress) => calls.push(progress) });
      assert.ok(calls.length >= 1);
      const { total } = calls[0];
      for (const [i, call] of calls.entries()) {
        assert.equal(call.total, total);
        assert.ok(i === 0 || call.bytesDone > calls[i - 1].bytesDone, 'grows');
      }
      assert.equal(calls.at(-1).bytesDone, total);
    }
  });

  it('rejects with what onProgress throws', async () => {
    const thrown = new Error('mine');
    const onProgress = () => {
      throw thrown;
    };
    await assert.rejects(gzipFile(at('source'), at('packed'), { onProgress }), (error) => error === thrown);
    await assert.rejects(gzipFile(at('source'), at('packed'), { onProgress: 5 }), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('leaves no file behind when aborted', async () => {
    // Nothing but a hole, and too long for a busy machine to end before the abort.
    fs.writeFileSync(at('long'), '');
    fs.truncateSync(at('long'), 2 ** 33);
    const controller = new AbortController();
    const job = gzipFile(at('long'), at('packed'), { level: 9, signal: controller.signal });
    setImmediate(() => controller.abort(new Error('why')));
    await assert.rejects(job, (error) => error.code === 'ABORT_ERR' && error.cause.message === 'why');
    expectOnly('source', 'long');
  });

  it('keeps the destination when the source is bad', async () => {
    fs.writeFileSync(at('kept'), 'before');
    const packed = zlib.gzipSync(data);
    const sources = {
      ERR_GZIP_TRUNCATED: packed.subarray(0, packed.length / 2),
      ERR_GZIP_CORRUPT: Buffer.from(packed).fill(0xff, 1000, 1100),
      ERR_BUFFER_TOO_LARGE: packed,
    };
    for (const [code, bytes] of Object.entries(sources)) {
      fs.writeFileSync(at('bad'), bytes);
      const maxOutputLength = code === 'ERR_BUFFER_TOO_LARGE' ? data.length - 1 : undefined;
      await assert.rejects(gunzipFile(at('bad'), at('kept'), { maxOutputLength }), { code });
      assert.equal(fs.readFileSync(at('kept'), 'utf8'), 'before');
      expectOnly('source', 'kept', 'bad');
    }
  });

  it('names the system errors', async () => {
    await assert.rejects(gzipFile(at('absent'), at('out')), { code: 'ENOENT', syscall: 'open', path: at('absent') });
    await assert.rejects(gzipFile(folder, at('out')), { code: 'EISDIR' });
    await assert.rejects(gzipFile(at('source'), at('no/out')), { code: 'ENOENT', path: at('no/out') });
    await assert.rejects(gunzipFile(at('source'), at('out')), { code: 'ERR_GZIP_CORRUPT' });
    await assert.rejects(gzipFile(at('source')), { code: 'ERR_INVALID_ARG_TYPE' });
    expectOnly('source');
  });

  it('leaves no file behind when its worker thread is terminated', async () => {
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
      const { createGzip, gzipFile } = require(workerData.root);
      gzipFile(workerData.source, workerData.packed, { level: 12 });
      createGzip({ level: 9 }).write(Buffer.alloc(1 << 20, 'text to compress'));
      parentPort.postMessage('busy');`,
      { eval: true, workerData: { root: `${__dirname}/../..`, source: at('source'), packed: at('packed') } },
    );
    await once(worker, 'message');
    await worker.terminate();
    expectOnly('source');
  });
});
