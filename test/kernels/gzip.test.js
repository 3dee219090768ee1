'use strict';
// gzip and gunzip of buffers: what they give is what node:zlib and GNU gzip read, and the other way round.
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');
const { gunzip, gzip, kernels } = require('rustcluster');

const BLOCK = 2 << 20;
/** Text with repeats and numbers, always the same. */
function text(length) {
  let state = 1;
  let out = '';
  while (out.length < length) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out += `${['flip', 'hash', 'gzip', 'cluster', 'the'][state % 5]} ${state % 7 === 0 ? state : ''}\n`;
  }
  return Buffer.from(out.slice(0, length));
}
const rejects = (promise, code) => assert.rejects(promise, (error) => error.code === code || assert.fail(error));

describe('gzip', () => {
  const large = text(2 * BLOCK + 77);

  for (const length of [0, 1, 100, 65536, BLOCK - 1, BLOCK, BLOCK + 1, large.length]) {
    it(`is read back by node:zlib and by gunzip at ${length} bytes`, async () => {
      const data = large.subarray(0, length);
      const packed = await gzip(data);
      assert.ok(zlib.gunzipSync(packed).equals(data));
      assert.ok((await gunzip(packed)).equals(data));
    });
  }

  for (let level = -1; level <= 12; level++) {
    it(`is read back at level ${level}`, async () => {
      const data = large.subarray(0, 30_000);
      assert.ok(zlib.gunzipSync(await gzip(data, { level })).equals(data));
    });
  }

  it('makes no more of any kind of input than zlib does at the level both have by default', async () => {
    const folder = (name) => path.join(__dirname, '../..', name);
    const sources = (name) => fs.readdirSync(folder(name), { recursive: true }).sort();
    const files = ['js', 'test', 'docs'].flatMap((name) => sources(name).map((file) => path.join(folder(name), file)));
    const written = Buffer.concat(
      files.filter((file) => /\.(js|ts|md)$/.test(file)).map((file) => fs.readFileSync(file)),
    );
    const rows = Array.from({ length: 20_000 }, (_, id) => ({ id, name: `user ${(id * 7919) % 1000}`, at: id * 86.4 }));
    const kinds = {
      'code and documents': written,
      JSON: Buffer.from(JSON.stringify(rows)),
      'made text': large,
      'machine code': fs.readFileSync(process.execPath).subarray(16 * 2 ** 20, 18 * 2 ** 20),
      noise: crypto.randomBytes(2 ** 20),
    };
    for (const [kind, data] of Object.entries(kinds)) {
      const [ours, theirs] = [await gzip(data), zlib.gzipSync(data, { level: 6 })];
      assert.ok(zlib.gunzipSync(ours).equals(data));
      assert.ok(ours.length <= theirs.length, `${kind}: ${ours.length} bytes, zlib makes ${theirs.length}`);
    }
  });

  it('is one member, read by readers that stop after the first, and by GNU gzip', async function () {
    const packed = await gzip(large);
    // The raw stream of zlib stops at the end of the first member's deflate data.
    assert.ok(zlib.inflateRawSync(packed.subarray(10)).equals(large));
    const gnu = spawnSync('gzip', ['-dc'], { input: packed, maxBuffer: 1 << 28 });
    if (gnu.error?.code === 'ENOENT') this.skip();
    assert.equal(gnu.stderr.toString(), '');
    assert.ok(gnu.stdout.equals(large));
  });

  it('gives the same bytes for any number of threads', async () => {
    const { threads } = kernels.stats();
    try {
      const outputs = [];
      for (const count of [1, 2, 4]) {
        kernels.configure({ threads: count });
        outputs.push(await gzip(large));
      }
      assert.ok(outputs[0].equals(outputs[1]) && outputs[0].equals(outputs[2]));
    } finally {
      kernels.configure({ threads });
    }
  });

  it('takes strings, views and ArrayBuffers', async () => {
    const bytes = new Uint8Array([104, 105]);
    for (const data of ['hi', bytes, bytes.buffer, new DataView(bytes.buffer)]) {
      assert.equal(zlib.gunzipSync(await gzip(data)).toString(), 'hi');
    }
  });

  it('refuses bad arguments and aborts', async () => {
    await rejects(gzip(), 'ERR_INVALID_ARG_TYPE');
    await rejects(gzip('x', 6), 'ERR_INVALID_ARG_TYPE');
    await rejects(gzip('x', { level: '6' }), 'ERR_INVALID_ARG_TYPE');
    await rejects(gzip('x', { level: 13 }), 'ERR_OUT_OF_RANGE');
    await rejects(gzip('x', { level: -2 }), 'ERR_OUT_OF_RANGE');
    await rejects(gzip('x', { signal: AbortSignal.abort() }), 'ABORT_ERR');
    const controller = new AbortController();
    const job = gzip(large, { signal: controller.signal });
    controller.abort();
    await rejects(job, 'ABORT_ERR');
  });
});

describe('gunzip', () => {
  const [abc, def] = ['abc', 'def'].map((word) => zlib.gzipSync(word));
  const cases = {
    'two members': Buffer.concat([abc, def]),
    'zeros after the last member': Buffer.concat([abc, def, Buffer.alloc(10)]),
    'a member after zeros': Buffer.concat([abc, Buffer.alloc(1), def]),
    'garbage after the last member': Buffer.concat([abc, Buffer.alloc(10, 'P')]),
    'half a header after the last member': Buffer.concat([abc, Buffer.from([0x1f, 0x8b, 0xff, 0xff])]),
    'one byte after the last member': Buffer.concat([abc, Buffer.from([0x1f])]),
    'no bytes': Buffer.alloc(0),
    'no gzip': Buffer.from('hello world'),
    'a cut trailer': abc.subarray(0, -1),
    'a cut header': abc.subarray(0, 5),
    'a wrong checksum': Buffer.from(abc).fill(0, abc.length - 8, abc.length - 4),
    'a wrong length': Buffer.from(abc).fill(9, abc.length - 4),
  };
  const codes = { Z_BUF_ERROR: 'ERR_GZIP_TRUNCATED', Z_DATA_ERROR: 'ERR_GZIP_CORRUPT' };

  for (const [name, data] of Object.entries(cases)) {
    it(`does what node:zlib does with ${name}`, async () => {
      let expected;
      try {
        expected = zlib.gunzipSync(data);
      } catch ({ code }) {
        // One byte that begins no header is corrupt or truncated, as one likes: Node's lines differ.
        await assert.rejects(gunzip(data), (error) => error.code === codes[code] || assert.fail(error));
        return;
      }
      assert.ok((await gunzip(data)).equals(expected));
    });
  }

  it('stops a bomb at maxOutputLength, which is exact', async () => {
    const bomb = zlib.gzipSync(Buffer.alloc(50 << 20));
    assert.equal((await gunzip(bomb, { maxOutputLength: 50 << 20 })).length, 50 << 20);
    await assert.rejects(gunzip(bomb, { maxOutputLength: (50 << 20) - 1 }), {
      name: 'RangeError',
      code: 'ERR_BUFFER_TOO_LARGE',
    });
    const lying = Buffer.from(bomb).fill(1, bomb.length - 4);
    await rejects(gunzip(lying, { maxOutputLength: 1 << 20 }), 'ERR_BUFFER_TOO_LARGE');
  });

  it('survives a thousand damaged inputs', async () => {
    const packed = zlib.gzipSync(text(5_000));
    const jobs = Array.from({ length: 1000 }, (_, i) => {
      const damaged = Buffer.from(packed);
      damaged[(i * 7919) % damaged.length] ^= 1 + (i % 255);
      return gunzip(damaged, { maxOutputLength: 1 << 20 }).then(
        () => 'ok',
        ({ code }) => code,
      );
    });
    const known = ['ok', 'ERR_GZIP_CORRUPT', 'ERR_GZIP_TRUNCATED', 'ERR_BUFFER_TOO_LARGE'];
    for (const outcome of await Promise.all(jobs)) assert.ok(known.includes(outcome), outcome);
  });

  it('refuses bad arguments', async () => {
    await rejects(gunzip('text'), 'ERR_INVALID_ARG_TYPE');
    await rejects(gunzip(abc, { maxOutputLength: 0 }), 'ERR_OUT_OF_RANGE');
    await rejects(gunzip(abc, { signal: AbortSignal.abort() }), 'ABORT_ERR');
  });
});
