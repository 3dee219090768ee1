'use strict';
// The memory of a flipped JPEG goes to a later flip, but not before its Buffer is gone.
const assert = require('node:assert/strict');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');
const { flip } = require('rustcluster');

describe('flipped JPEGs', () => {
  let photos;
  let collect;

  before(async () => {
    const { samplePhoto } = await import('../../scripts/sample-photo.mjs');
    photos = [await samplePhoto({ width: 480, height: 320 }), await samplePhoto({ width: 448, height: 320 })];
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc');
  });

  it('stay as they are for as long as they are kept', async () => {
    const expected = await Promise.all(photos.map(async (photo) => Buffer.copyBytesFrom(await flip(photo))));
    const kept = [];
    for (let i = 0; i < 60; i++) {
      const which = i % 2;
      const [flipped, other] = await Promise.all([flip(photos[which]), flip(photos[1 - which])]);
      assert.ok(flipped.equals(expected[which]) && other.equals(expected[1 - which]), `flip ${i}`);
      if (i % 7 === 0) kept.push([flipped, which]);
      // What is thrown away may be scribbled on before: the next flip must not care.
      other.fill(0xff);
      if (i % 3 === 0) collect();
      // Buffers are given back in a turn of their own.
      await new Promise(setImmediate);
    }
    for (const [flipped, which] of kept) assert.ok(flipped.equals(expected[which]));
  });
});
