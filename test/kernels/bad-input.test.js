'use strict';
// Whatever comes in: a rejection with a stable code, a process that goes on, and memory where it was.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const zlib = require('node:zlib');
const { flip, flipFile, hash, hashFile, kernels } = require('rustcluster');

/** A PNG that announces `width` x `height` and holds next to nothing. */
function png(width, height) {
  const ihdr = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]);
  ihdr.writeUInt32BE(width, 0);
  ihdr.writeUInt32BE(height, 4);
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    crc.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, crc]);
  };
  const idat = zlib.deflateSync(Buffer.alloc(100));
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([signature, chunk('IHDR', ihdr), chunk('IDAT', idat), chunk('IEND', Buffer.alloc(0))]);
}

/** The CRC of PNG, as gzip's trailer holds it: zlib.crc32 is younger than the oldest Node we support. */
const crc32 = (data) => zlib.gzipSync(data).readUInt32LE(zlib.gzipSync(data).length - 8);

/** A baseline JPEG of `width` x `height` with an empty scan. */
function jpeg(width, height) {
  const start = Buffer.from('ffd8ffc00011080000000003012200021101031101', 'hex');
  start.writeUInt16BE(height, 7);
  start.writeUInt16BE(width, 9);
  return Buffer.concat([start, Buffer.from('ffda000c03010002000300003f00', 'hex'), Buffer.from('ffd9', 'hex')]);
}

function detached() {
  const buffer = new ArrayBuffer(100);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

describe('bad input', () => {
  let folder;
  let file;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rustcluster-bad-'));
    file = (name, content) => {
      fs.writeFileSync(path.join(folder, name), content);
      return path.join(folder, name);
    };
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  const cases = {
    'flip of nothing': ['ERR_IMAGE_CORRUPT', () => flip(Buffer.alloc(0))],
    'flip of text': ['ERR_IMAGE_UNSUPPORTED', () => flip(Buffer.from('Dear Sir or Madam'))],
    'flip of a JPEG without tables or data': ['ERR_IMAGE_CORRUPT', () => flip(jpeg(16, 16))],
    'flip of a truncated JPEG': ['ERR_IMAGE_CORRUPT', () => flip(jpeg(16, 16).subarray(0, 30))],
    'flip of a truncated PNG': ['ERR_IMAGE_CORRUPT', () => flip(png(16, 16).subarray(0, 45))],
    'flip of a JPEG of 65,535 x 65,535': ['ERR_IMAGE_TOO_LARGE', () => flip(jpeg(65535, 65535))],
    'flip of a PNG of 65,535 x 65,535': ['ERR_IMAGE_TOO_LARGE', () => flip(png(65535, 65535))],
    'flip of a picture over maxPixels': ['ERR_IMAGE_TOO_LARGE', () => flip(png(11, 10), { maxPixels: 109 })],
    'flip of a string': ['ERR_INVALID_ARG_TYPE', () => flip('photo.jpg')],
    'flip of an array': ['ERR_INVALID_ARG_TYPE', () => flip([255, 216])],
    'flip of undefined': ['ERR_INVALID_ARG_TYPE', () => flip()],
    'flip of a detached buffer': ['ERR_INVALID_ARG_VALUE', () => flip(detached())],
    'flip sideways': ['ERR_INVALID_ARG_VALUE', () => flip(Buffer.alloc(9), { direction: 'sideways' })],
    'flip at quality 0': ['ERR_OUT_OF_RANGE', () => flip(Buffer.alloc(9), { quality: 0 })],
    'flip at quality 50.5': ['ERR_OUT_OF_RANGE', () => flip(Buffer.alloc(9), { quality: 50.5 })],
    'flip with a signal that is none': ['ERR_INVALID_ARG_TYPE', () => flip(Buffer.alloc(9), { signal: 5 })],
    'flip with options that are none': ['ERR_INVALID_ARG_TYPE', () => flip(Buffer.alloc(9), 'vertical')],
    'flip with an aborted signal': ['ABORT_ERR', () => flip(Buffer.alloc(9), { signal: AbortSignal.abort() })],
    'flipFile of a missing file': ['ENOENT', () => flipFile(path.join(folder, 'absent'), path.join(folder, 'out'))],
    'flipFile of a directory': ['EISDIR', () => flipFile(folder, path.join(folder, 'out'))],
    'flipFile of text': [
      'ERR_IMAGE_UNSUPPORTED',
      () => flipFile(file('text', 'x'.repeat(99)), path.join(folder, 'out')),
    ],
    'flipFile of an empty file': ['ERR_IMAGE_CORRUPT', () => flipFile(file('empty', ''), path.join(folder, 'out'))],
    'flipFile of a device': ['ERR_INVALID_ARG_VALUE', () => flipFile('/dev/zero', path.join(folder, 'out'))],
    'flipFile with a NUL in the path': ['ERR_INVALID_ARG_VALUE', () => flipFile('a\0b', path.join(folder, 'out'))],
    'hash with an unknown algorithm': ['ERR_INVALID_ARG_VALUE', () => hash('sha257', 'x')],
    'hash with no algorithm': ['ERR_INVALID_ARG_TYPE', () => hash(undefined, 'x')],
    'hash of a number': ['ERR_INVALID_ARG_TYPE', () => hash('sha256', 5)],
    'hash of a detached buffer': ['ERR_INVALID_ARG_VALUE', () => hash('sha256', detached())],
    'hash in an unknown encoding': ['ERR_INVALID_ARG_VALUE', () => hash('sha256', 'x', { encoding: 'utf8' })],
    'hashFile of a missing file': ['ENOENT', () => hashFile('sha256', path.join(folder, 'absent'))],
    'hashFile of a directory': ['EISDIR', () => hashFile('sha256', folder)],
    'hashFile of a URL that names no path': [
      'ERR_INVALID_ARG_VALUE',
      () => hashFile('sha256', new URL('file:///a%2Fb')),
    ],
    'hashFile of no path': ['ERR_INVALID_ARG_TYPE', () => hashFile('sha256', 7)],
  };

  for (const [name, [code, call]] of Object.entries(cases)) {
    it(`${name}: ${code}`, () =>
      assert.rejects(call, (error) => {
        assert.ok(error instanceof Error);
        assert.equal(error.code, code);
        assert.ok(error.message.length > 5);
        assert.match(error.stack, /^\w+: /);
        return true;
      }));
  }

  it('names the call, the file and the number of a failed system call, as Node does', async () => {
    const missing = path.join(folder, 'absent');
    const [ours, nodes] = await Promise.all([
      hashFile('sha256', missing).catch((error) => error),
      fs.promises.open(missing).catch((error) => error),
    ]);
    for (const property of ['message', 'code', 'errno', 'syscall', 'path'])
      assert.equal(ours[property], nodes[property]);
  });

  it('shows who called in the stack of an error that came from a Rust thread', async () => {
    async function theCaller() {
      await flip(Buffer.from('no image'));
    }
    const error = await theCaller().catch((reason) => reason);
    assert.match(error.stack, /theCaller/);
  });

  it('a thousand times over leaves memory and the pool where they were', async () => {
    const everything = Object.values(cases).map(([, call]) => call);
    const round = async () => {
      for (const call of everything) await call().catch(() => {});
      await Promise.all(everything.map((call) => call().catch(() => {})));
    };
    for (let i = 0; i < 5; i++) await round();
    const gc = collector();
    gc();
    const start = process.memoryUsage();
    for (let calls = 0; calls < 1000; calls += 2 * everything.length) await round();
    gc();
    const end = process.memoryUsage();
    assert.ok(end.rss - start.rss < 24 << 20, `resident memory grew by ${(end.rss - start.rss) >> 10} KiB`);
    assert.ok(end.heapUsed - start.heapUsed < 2 << 20, 'the heap grew');
    const { queued, running } = kernels.stats();
    assert.deepEqual({ queued, running }, { queued: 0, running: 0 });
    assert.deepEqual(
      fs.readdirSync(folder).filter((name) => name.startsWith('.rustcluster')),
      [],
    );
  });
});

/** The collector, without starting the test runner with a flag. */
function collector() {
  require('node:v8').setFlagsFromString('--expose-gc');
  return require('node:vm').runInNewContext('gc');
}
