'use strict';
// What flipFile tells about the way a JPEG went.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { flip, flipFile } = require('rustcluster');
const { temporaryFolder } = require('../fixtures/supervise/harness.js');

const folder = temporaryFolder();

/** A gray 4:2:0 JPEG, 16 pixels wide: of every block one bit says "as before" and one "no more coefficients". */
function jpeg(height) {
  const segment = (code, ...bytes) => [0xff, code, (bytes.length + 2) >> 8, (bytes.length + 2) & 255, ...bytes];
  const oneCode = (table) => [table, 1, ...Array(15).fill(0), 0];
  const scan = Array(Math.ceil((Math.ceil(height / 16) * 6 * 2) / 8)).fill(0);
  return Buffer.from([
    ...[0xff, 0xd8],
    ...segment(0xdb, 0, ...Array(64).fill(1)),
    ...segment(0xc0, 8, height >> 8, height & 255, 0, 16, 3, ...[1, 0x22, 0], ...[2, 0x11, 0], ...[3, 0x11, 0]),
    ...segment(0xc4, ...oneCode(0x00), ...oneCode(0x10)),
    ...segment(0xda, 3, ...[1, 0], ...[2, 0], ...[3, 0], 0, 63, 0),
    ...scan,
    ...[0xff, 0xd9],
  ]);
}

describe('flipFile', () => {
  const ways = { 32: 'all', 24: 'part', 20: 'none' };
  for (const [height, exact] of Object.entries(ways)) {
    it(`of a 4:2:0 JPEG ${height} pixels high: exact is "${exact}"`, async () => {
      const [source, target] = ['in', 'out'].map((name) => path.join(folder, `${name}-${height}.jpg`));
      fs.writeFileSync(source, jpeg(Number(height)));
      const info = await flipFile(source, target);
      assert.deepEqual(info, {
        format: 'jpeg',
        width: 16,
        height: Number(height),
        lossless: exact === 'all',
        exact,
        bytesIn: fs.statSync(source).size,
        bytesOut: fs.statSync(target).size,
      });
    });

    it(`of that, lossless: 'require' ${exact === 'all' ? 'is met' : 'is refused'}`, async () => {
      const flipped = flip(jpeg(Number(height)), { lossless: 'require' });
      if (exact === 'all') await flipped;
      else await assert.rejects(flipped, { code: 'ERR_NOT_LOSSLESS' });
    });
  }

  it("goes through pixels with lossless: 'never'", async () => {
    const [source, target] = ['in', 'out'].map((name) => path.join(folder, `${name}-never.jpg`));
    fs.writeFileSync(source, jpeg(32));
    const { lossless, exact } = await flipFile(source, target, { lossless: 'never' });
    assert.deepEqual([lossless, exact], [false, 'none']);
  });
});
