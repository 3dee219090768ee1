'use strict';
// createGzip and createGunzip in the place of node:zlib's.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const { Readable, Writable } = require('node:stream');
const { buffer } = require('node:stream/consumers');
const { pipeline } = require('node:stream/promises');
const zlib = require('node:zlib');
const { createGunzip, createGzip, kernels } = require('rustcluster');

const data = Buffer.from(Array.from({ length: 100_000 }, (_, i) => `${i * i} of a stream\n`).join(''));
const inPieces = (bytes, length) =>
  Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
    })(),
  );
/** All that comes out of `stream` when `chunks` go in. */
async function through(stream, chunks) {
  const out = buffer(stream);
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  return out;
}

describe('createGzip', () => {
  for (const length of [1000, 65_536, data.length]) {
    it(`compresses a pipeline of chunks of ${length} bytes`, async () => {
      const stream = createGzip();
      const packed = await buffer(inPieces(data, length).compose(stream));
      assert.ok(zlib.gunzipSync(packed).equals(data));
      assert.equal(stream.bytesWritten, data.length);
    });
  }

  it('compresses nothing to an empty member', async () => {
    assert.equal(zlib.gunzipSync(await through(createGzip(), [])).length, 0);
  });

  it('takes zlib’s options', async () => {
    for (const options of [
      { level: 0 },
      { level: 9, memLevel: 9 },
      { level: -1, windowBits: 8, memLevel: 1 },
      { strategy: zlib.constants.Z_HUFFMAN_ONLY },
      { strategy: zlib.constants.Z_RLE, chunkSize: 64 },
      { flush: zlib.constants.Z_SYNC_FLUSH },
    ]) {
      const packed = await through(createGzip(options), [data.subarray(0, 5000), 'and a string']);
      assert.equal(zlib.gunzipSync(packed).toString(), `${data.subarray(0, 5000)}and a string`);
    }
  });

  it('refuses options out of range', () => {
    for (const options of [{ level: 10 }, { windowBits: 16 }, { memLevel: 0 }, { strategy: 5 }, { chunkSize: 63 }]) {
      assert.throws(() => createGzip(options), { code: 'ERR_OUT_OF_RANGE' });
    }
    assert.throws(() => createGzip({ flush: 'sync' }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => createGzip(5), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => createGzip({ signal: 5 }), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('keeps to chunkSize', async () => {
    const stream = createGzip({ level: 0, chunkSize: 1000 });
    stream.end(data.subarray(0, 100_000));
    stream.on('data', (chunk) => assert.ok(chunk.length <= 1000));
    await once(stream, 'end');
  });

  it('makes what was written readable on flush(), in its place among the writes', async () => {
    const stream = createGzip();
    const reader = zlib.createGunzip();
    stream.pipe(reader);
    stream.write('first, ');
    stream.flush();
    assert.equal(String((await once(reader, 'data'))[0]), 'first, ');
    stream.write('second');
    const flushed = new Promise((resolve) => stream.flush(zlib.constants.Z_SYNC_FLUSH, resolve));
    assert.equal(String((await once(reader, 'data'))[0]), 'second');
    await flushed;
    stream.end();
    reader.resume();
    await once(reader, 'end');
    await new Promise((resolve) => stream.flush(resolve));
  });

  it('lets the caller reuse a chunk once it was written', async () => {
    const stream = createGzip();
    const out = buffer(stream);
    const chunk = Buffer.alloc(10);
    for (const letter of 'abc') {
      chunk.fill(letter);
      await new Promise((resolve) => stream.write(chunk, resolve));
    }
    stream.end();
    assert.equal(zlib.gunzipSync(await out).toString(), 'aaaaaaaaaabbbbbbbbbbcccccccccc');
  });

  it('waits for its reader', async () => {
    const stream = createGzip({ level: 0 });
    const before = kernels.stats().completed;
    let written = 0;
    while (stream.write(data.subarray(0, 100_000))) written += 1;
    for (let turn = 0; turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(kernels.stats().completed - before <= written + 1);
    assert.ok(stream.readableLength < 1 << 20);
    stream.destroy();
    await once(stream, 'close');
  });

  it('survives being destroyed and closed in mid-job', async () => {
    // Too long for a busy machine to end before the stream does.
    const long = Buffer.alloc(2 ** 29);
    for (let round = 0; round < 50; round++) {
      const stream = createGzip({ level: 9 });
      const failed = new Promise((resolve) => stream.write(long, resolve));
      if (round % 2 === 0) setImmediate(() => stream.destroy());
      else stream.close();
      await once(stream, 'close');
      assert.ok((await failed) instanceof Error);
    }
  });

  it('is destroyed by its signal', async () => {
    const controller = new AbortController();
    const slow = new Writable({ write: () => controller.abort() });
    const work = pipeline(inPieces(data, 100_000), createGzip({ signal: controller.signal }), slow);
    await assert.rejects(work, { name: 'AbortError', code: 'ABORT_ERR' });
    const [error] = await once(createGzip({ signal: AbortSignal.abort() }), 'error');
    assert.equal(error.code, 'ABORT_ERR');
  });

  it('runs many at once, each in order', async () => {
    const all = Array.from({ length: 40 }, async (_, i) => {
      const packed = await buffer(inPieces(data.subarray(i), 9999).compose(createGzip({ level: 1 })));
      assert.ok(zlib.gunzipSync(packed).equals(data.subarray(i)));
    });
    await Promise.all(all);
  });

  it('waits where the pool’s queue is full', async () => {
    const { maxQueue, threads } = kernels.stats();
    kernels.configure({ maxQueue: 0, threads: 1 });
    try {
      const all = Array.from({ length: 10 }, () => through(createGzip({ level: 1 }), [data.subarray(0, 300_000)]));
      for (const packed of await Promise.all(all)) assert.equal(zlib.gunzipSync(packed).length, 300_000);
    } finally {
      kernels.configure({ maxQueue, threads });
    }
  });
});

describe('createGunzip', () => {
  const packed = zlib.gzipSync(data);

  for (const length of [1, 1000, packed.length]) {
    it(`decompresses chunks of ${length} bytes`, async () => {
      const input = length === 1 ? zlib.gzipSync(data.subarray(0, 3000)) : packed;
      const expected = length === 1 ? data.subarray(0, 3000) : data;
      assert.ok((await buffer(inPieces(input, length).compose(createGunzip()))).equals(expected));
    });
  }

  it('gives what each write brings at once', async () => {
    const writer = zlib.createGzip();
    const stream = createGunzip();
    writer.pipe(stream);
    for (const word of ['one', 'two']) {
      writer.write(word);
      writer.flush();
      assert.equal(String((await once(stream, 'data'))[0]), word);
    }
    writer.end();
    stream.resume();
    await once(stream, 'end');
  });

  it('reads several members and ignores zeros after them', async () => {
    const input = Buffer.concat([zlib.gzipSync('abc'), zlib.gzipSync('def'), Buffer.alloc(10)]);
    for (const length of [1, 7, input.length]) {
      assert.equal(String(await buffer(inPieces(input, length).compose(createGunzip()))), 'abcdef');
    }
  });

  const failing = {
    'no bytes': [Buffer.alloc(0), 'ERR_GZIP_TRUNCATED', ''],
    'a cut end': [packed.subarray(0, -1), 'ERR_GZIP_TRUNCATED', String(data)],
    'no gzip': [Buffer.from('hello world'), 'ERR_GZIP_CORRUPT', ''],
    'garbage after a member': [
      Buffer.concat([zlib.gzipSync('abc'), Buffer.from('garbage')]),
      'ERR_GZIP_CORRUPT',
      'abc',
    ],
  };
  for (const [name, [input, code, before]] of Object.entries(failing)) {
    it(`fails on ${name}, after the output before it`, async () => {
      const stream = createGunzip();
      let out = '';
      stream.on('data', (chunk) => {
        out += chunk;
      });
      stream.end(input);
      const [error] = await once(stream, 'error');
      assert.equal(error.code, code);
      assert.equal(out, before);
    });
  }

  it('forgives a cut end where finishFlush says so', async () => {
    const stream = createGunzip({ finishFlush: zlib.constants.Z_SYNC_FLUSH });
    assert.ok((await through(stream, [packed.subarray(0, -8)])).equals(data));
  });

  it('gives a bomb out no faster than it is read, and stops it at maxOutputLength', async () => {
    const bomb = zlib.gzipSync(Buffer.alloc(64 << 20));
    const unread = createGunzip();
    unread.write(bomb);
    await once(unread, 'readable');
    for (let turn = 0; turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(unread.readableLength <= 1 << 20);
    unread.destroy();
    let length = 0;
    const stream = createGunzip({ maxOutputLength: 1 << 20 });
    stream.on('data', (chunk) => {
      length += chunk.length;
    });
    stream.end(bomb);
    const [error] = await once(stream, 'error');
    assert.equal(error.code, 'ERR_BUFFER_TOO_LARGE');
    assert.ok(length <= 1 << 20);
  });
});
