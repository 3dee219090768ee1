'use strict';
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { PassThrough, Readable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { pathToFileURL } = require('node:url');
const { createHash, hash, hashFiles, hashMany, kernels } = require('rustcluster');

const digest = (algorithm, data, encoding = 'hex') => crypto.createHash(algorithm).update(data).digest(encoding);

describe('hashMany', () => {
  it('equals node:crypto, message by message, for small and large ones mixed', async () => {
    const list = Array.from({ length: 500 }, (_, i) => crypto.randomBytes((i * i * 37) % 20_000));
    for (const algorithm of ['sha224', 'sha256', 'sha384', 'sha512']) {
      const want = list.map((message) => digest(algorithm, message));
      assert.deepEqual(await hashMany(algorithm, list), want, algorithm);
    }
  });

  it('takes strings, views and buffers, and encodes as asked', async () => {
    const list = ['', 'žluťoučký', 'x'.repeat(9000), new Uint16Array([1, 2, 3]), new ArrayBuffer(70), Buffer.alloc(0)];
    for (const encoding of ['hex', 'base64', 'buffer']) {
      const want = list.map((message) =>
        digest(
          'sha256',
          message instanceof ArrayBuffer ? Buffer.from(message) : message,
          encoding === 'buffer' ? null : encoding,
        ),
      );
      assert.deepEqual(await hashMany('sha256', list, { encoding }), want);
    }
    assert.deepEqual(await hashMany('sha256', []), []);
  });

  it('copies small messages at the call', async () => {
    const message = Buffer.from('before');
    const promise = hashMany('sha256', [message]);
    message.fill('x');
    assert.deepEqual(await promise, [digest('sha256', 'before')]);
  });

  it('keeps calls apart whose memory is used again, one after the other, at once, and after an abort', async () => {
    const lists = [3, 2000, 1, 700].map((count) =>
      Array.from({ length: count }, (_, i) => crypto.randomBytes(i % 3 ? 64 : 4000)),
    );
    const want = lists.map((list) => list.map((message) => digest('sha256', message)));
    const first = await hashMany('sha256', lists[1]);
    for (const [i, list] of lists.entries()) assert.deepEqual(await hashMany('sha256', list), want[i]);
    const controller = new AbortController();
    const aborted = hashMany('sha256', lists[1], { signal: controller.signal });
    const together = Promise.all(lists.map((list) => hashMany('sha256', list)));
    controller.abort();
    // The job may have ended before it was aborted: then its digests are right.
    await aborted.then(
      (digests) => assert.deepEqual(digests, want[1]),
      (error) => assert.equal(error.code, 'ABORT_ERR'),
    );
    assert.deepEqual(await together, want);
    await assert.rejects(hashMany('sha256', [...lists[1], 5]), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.deepEqual(
      await hashMany('sha512', lists[0], { encoding: 'base64' }),
      lists[0].map((message) => digest('sha512', message, 'base64')),
    );
    assert.deepEqual(first, want[1], 'earlier digests stay what they were');
  });

  it('gives Buffers that no later call writes to', async () => {
    const list = Array.from({ length: 100 }, (_, i) => Buffer.from([i]));
    const digests = await hashMany('sha256', list, { encoding: 'buffer' });
    await hashMany('sha256', list.toReversed(), { encoding: 'buffer' });
    assert.deepEqual(
      digests,
      list.map((message) => digest('sha256', message, null)),
    );
  });

  it('names the message that is none', async () => {
    await assert.rejects(hashMany('sha256', ['a', 5]), { code: 'ERR_INVALID_ARG_TYPE', message: /"list\[1\]"/ });
    await assert.rejects(hashMany('sha256', 'a'), { code: 'ERR_INVALID_ARG_TYPE' });
    await assert.rejects(hashMany('md5', []), { code: 'ERR_INVALID_ARG_VALUE' });
  });
});

describe('hashFiles', () => {
  let folder;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rustcluster-hash-files-'));
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  it('equals node:crypto, file by file, in order', async () => {
    const contents = Array.from({ length: 100 }, (_, i) => crypto.randomBytes((i * i * 61) % 300_000));
    const files = contents.map((data, i) => {
      const file = path.join(folder, `${i}`);
      fs.writeFileSync(file, data);
      return i % 10 ? file : pathToFileURL(file);
    });
    for (const algorithm of ['sha256', 'sha512']) {
      const want = contents.map((data) => digest(algorithm, data));
      assert.deepEqual(await hashFiles(algorithm, files), want);
    }
    assert.deepEqual(await hashFiles('sha256', []), []);
  });

  it('fails as a whole and names the file', async () => {
    const good = path.join(folder, 'good');
    fs.writeFileSync(good, 'x');
    const absent = path.join(folder, 'absent');
    await assert.rejects(hashFiles('sha256', [good, absent]), { code: 'ENOENT', path: absent });
    await assert.rejects(hashFiles('sha256', [good, folder]), { code: 'EISDIR', path: folder });
    await assert.rejects(hashFiles('sha256', [good, 5]), { code: 'ERR_INVALID_ARG_TYPE', message: /"files\[1\]"/ });
    // A hole in the list.
    await assert.rejects(hashFiles('sha256', Object.assign([], { 1: good })), { code: 'ERR_INVALID_ARG_TYPE' });
    await assert.rejects(hashFiles('sha256', [good], { signal: AbortSignal.abort() }), { code: 'ABORT_ERR' });
  });
});

describe('hash calls of one turn', () => {
  it('share one job', async () => {
    const { completed } = kernels.stats();
    await Promise.all(Array.from({ length: 100 }, (_, i) => hash('sha256', `${i}`)));
    assert.equal(kernels.stats().completed, completed + 1);
  });

  it('can be aborted one by one', async () => {
    const controller = new AbortController();
    const [aborted, kept] = [hash('sha256', 'a', { signal: controller.signal }), hash('sha256', 'b')];
    controller.abort(new Error('no longer wanted'));
    await assert.rejects(aborted, (error) => error.code === 'ABORT_ERR' && error.cause.message === 'no longer wanted');
    assert.equal(await kept, digest('sha256', 'b'));
  });

  it('keep their encodings and algorithms apart', async () => {
    const [a, b, c] = await Promise.all([
      hash('sha256', 'x', { encoding: 'base64' }),
      hash('sha512', 'x'),
      hash('SHA256', 'x', { encoding: 'buffer' }),
    ]);
    assert.deepEqual([a, b, c], [digest('sha256', 'x', 'base64'), digest('sha512', 'x'), digest('sha256', 'x', null)]);
  });
});

describe('createHash', () => {
  const chunked = (data, size) => {
    const chunks = [];
    for (let at = 0; at < data.length; at += size) chunks.push(data.subarray(at, at + size));
    return Readable.from(chunks, { objectMode: false });
  };

  it('gives the digest as its one chunk, for any cut of the input', async () => {
    const data = crypto.randomBytes(300_000);
    for (const algorithm of ['sha224', 'sha256', 'sha384', 'sha512']) {
      for (const size of [1000, 65_536, 299_999]) {
        const stream = createHash(algorithm);
        await pipeline(chunked(data, size), stream);
        assert.deepEqual(stream.read(), digest(algorithm, data, null));
        assert.equal(stream.read(), null);
      }
    }
  });

  it('works in the middle of a pipeline, with an encoding', async () => {
    const out = new PassThrough();
    await pipeline(
      Readable.from(['hello ', 'world'], { objectMode: false }),
      createHash('sha256').setEncoding('hex'),
      out,
    );
    assert.equal(String(out.read()), digest('sha256', 'hello world'));
  });

  it('hashes nothing, and strings as UTF-8', async () => {
    const empty = createHash('sha256');
    empty.end();
    assert.deepEqual((await empty.toArray())[0], digest('sha256', '', null));
    const text = createHash('sha256');
    text.write('žluť');
    text.end('oučký', 'utf8');
    assert.deepEqual((await text.toArray())[0], digest('sha256', 'žluťoučký', null));
  });

  it('keeps many concurrent streams apart', async () => {
    const all = Array.from({ length: 40 }, (_, i) => crypto.randomBytes(100_000 + 1000 * i));
    const digests = await Promise.all(
      all.map(async (data, i) => {
        const stream = createHash(i % 3 ? 'sha256' : 'sha512');
        await pipeline(chunked(data, 10_000 + 500 * i), stream);
        return stream.read().toString('hex');
      }),
    );
    assert.deepEqual(
      digests,
      all.map((data, i) => digest(i % 3 ? 'sha256' : 'sha512', data)),
    );
  });

  it('holds back its writer: memory does not grow with the input', async () => {
    const chunk = Buffer.alloc(64 << 10);
    let buffered = 0;
    const stream = createHash('sha256');
    const source = Readable.from(
      (function* () {
        for (let i = 0; i < 2000; i++) {
          buffered = Math.max(buffered, stream.writableLength);
          yield chunk;
        }
      })(),
      { objectMode: false },
    );
    await pipeline(source, stream);
    assert.ok(buffered <= stream.writableHighWaterMark + chunk.length, `${buffered} bytes were buffered`);
  });

  it('waits where the pool’s queue is full', async () => {
    const { maxQueue, threads } = kernels.stats();
    kernels.configure({ maxQueue: 0, threads: 1 });
    try {
      const data = Buffer.alloc(32 << 20);
      const busy = hashMany('sha256', [data, data]);
      const stream = createHash('sha256');
      stream.end('x');
      const [digests] = await stream.toArray();
      assert.deepEqual(digests, digest('sha256', 'x', null));
      await busy;
    } finally {
      kernels.configure({ maxQueue, threads });
    }
  });

  it('can be destroyed in mid-stream, and refuses unknown algorithms at once', async () => {
    const stream = createHash('sha256');
    stream.write(Buffer.alloc(1 << 20));
    stream.destroy();
    await new Promise((resolve) => stream.once('close', resolve));
    assert.throws(() => createHash('md5'), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => createHash(), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});
