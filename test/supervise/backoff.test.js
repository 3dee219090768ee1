'use strict';
// The pauses between starts: pure arithmetic.
const assert = require('node:assert/strict');
const { countCrash, delayAfter, isCrashLoop } = require('../../js/supervise/backoff.js');

const backoff = { initial: 100, factor: 1.5, max: 15_000 };

describe('the back-off', () => {
  it('begins at 100 ms and grows by half each time', () => {
    assert.deepEqual(
      [1, 2, 3, 4].map((crashes) => delayAfter(crashes, backoff)),
      [100, 150, 225, 338],
    );
  });

  it('ends at 15 s, however many crashes there were', () => {
    for (const crashes of [14, 100, 10_000, Number.MAX_SAFE_INTEGER]) {
      assert.equal(delayAfter(crashes, backoff), 15_000);
    }
  });

  it('counts crashes in a row, and begins anew after a sound life', () => {
    assert.equal(countCrash(0, undefined, 1000), 1);
    assert.equal(countCrash(4, undefined, 1000), 5);
    assert.equal(countCrash(4, 999, 1000), 5);
    assert.equal(countCrash(4, 1000, 1000), 1);
  });

  it('gives up only where no worker is sound', () => {
    assert.equal(isCrashLoop(4, 5, false), false);
    assert.equal(isCrashLoop(5, 5, false), true);
    assert.equal(isCrashLoop(500, 5, true), false);
  });
});
