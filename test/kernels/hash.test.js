'use strict';
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { hash, hashFile } = require('rustcluster');

const digest = (algorithm, data, encoding = 'hex') => crypto.createHash(algorithm).update(data).digest(encoding);

describe('hash', () => {
  for (const algorithm of ['sha224', 'sha256', 'sha384', 'sha512']) {
    it(`${algorithm} equals node:crypto at lengths around blocks, copies and chunks`, async () => {
      const sizes = [0, 1, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 32768, 32769, 131072, 1 << 20, 3000001];
      for (const size of sizes) {
        const data = crypto.randomBytes(size);
        assert.equal(await hash(algorithm, data), digest(algorithm, data), `${size} bytes`);
      }
    });
  }

  it('takes strings as UTF-8, and any view or buffer as its bytes', async () => {
    const bytes = Buffer.from('žluťoučký kůň');
    const whole = new Uint8Array(bytes).buffer;
    const shared = new SharedArrayBuffer(bytes.length);
    Buffer.from(shared).set(bytes);
    const want = digest('sha256', bytes);
    const inputs = ['žluťoučký kůň', bytes, whole, new DataView(whole), shared, new Uint8Array(shared)];
    for (const input of inputs) assert.equal(await hash('sha256', input), want);
    const inside = Buffer.concat([Buffer.alloc(3), bytes, Buffer.alloc(5)]).subarray(3, 3 + bytes.length);
    assert.equal(await hash('sha256', inside), want);
  });

  it('takes a resizable buffer as it was at the call', async () => {
    const buffer = new ArrayBuffer(100_000, { maxByteLength: 200_000 });
    const want = digest('sha256', Buffer.alloc(100_000));
    const promise = hash('sha256', buffer);
    buffer.resize(0);
    assert.equal(await promise, want);
  });

  it('spells algorithms as node:crypto does, and encodes as asked', async () => {
    for (const name of ['sha256', 'SHA256', 'sha-256', 'SHA-256']) {
      assert.equal(await hash(name, 'x'), digest('sha256', 'x'), name);
    }
    for (const encoding of ['hex', 'base64', 'base64url']) {
      assert.equal(await hash('sha256', 'x', { encoding }), digest('sha256', 'x', encoding));
    }
    assert.deepEqual(
      await hash('sha256', 'x', { encoding: 'buffer' }),
      crypto.createHash('sha256').update('x').digest(),
    );
  });

  it('gives each of many concurrent calls its own answer', async () => {
    const inputs = Array.from({ length: 900 }, (_, i) => Buffer.alloc(i * 97, i));
    const digests = await Promise.all(inputs.map((input) => hash('sha256', input)));
    assert.deepEqual(
      digests,
      inputs.map((input) => digest('sha256', input)),
    );
  });

  it('encodes each of many concurrent calls as it asked', async () => {
    const encodings = ['hex', 'base64', 'buffer', 'base64url'];
    const digests = await Promise.all(encodings.map((encoding, i) => hash('sha256', `message ${i}`, { encoding })));
    const want = encodings.map((encoding, i) =>
      digest('sha256', `message ${i}`, encoding === 'buffer' ? null : encoding),
    );
    assert.deepEqual(digests, want);
  });
});

describe('hashFile', () => {
  let folder;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rustcluster-hash-'));
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  it('equals node:crypto for empty, small and large files, by path and by URL', async () => {
    for (const size of [0, 1, 65536, 5_000_001]) {
      const file = path.join(folder, `${size} bytes é`);
      const data = crypto.randomBytes(size);
      fs.writeFileSync(file, data);
      assert.equal(await hashFile('sha256', file), digest('sha256', data));
      assert.equal(
        await hashFile('sha512', pathToFileURL(file), { encoding: 'base64' }),
        digest('sha512', data, 'base64'),
      );
    }
  });

  it('hashes a file without a size of its own, as those of /proc', async function () {
    if (process.platform !== 'linux') this.skip();
    assert.equal(await hashFile('sha256', '/proc/version'), digest('sha256', fs.readFileSync('/proc/version')));
  });
});
