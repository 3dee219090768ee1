'use strict';
/** The arithmetic the benchmarks' verdicts rest on. */
const assert = require('node:assert/strict');

describe('bench harness', () => {
  let stats;
  before(async () => {
    stats = await import('../../bench/lib/stats.mjs');
  });

  it('takes the middle value, or the mean of the two in the middle', () => {
    assert.equal(stats.median([3, 1, 2]), 2);
    assert.equal(stats.median([4, 1, 3, 2]), 2.5);
    assert.equal(stats.median([7]), 7);
    assert.throws(() => stats.median([]), RangeError);
  });

  it('sorts as numbers and leaves its input alone', () => {
    const values = [10, 9, 100];
    assert.equal(stats.median(values), 10);
    assert.deepEqual(values, [10, 9, 100]);
  });

  it('interpolates quantiles', () => {
    const values = [0, 10, 20, 30, 40];
    assert.equal(stats.quantile(values, 0), 0);
    assert.equal(stats.quantile(values, 0.25), 10);
    assert.equal(stats.quantile(values, 0.9), 36);
    assert.equal(stats.quantile(values, 1), 40);
  });

  it('gives ratios against ours: above 1 the peer costs more', () => {
    assert.deepEqual(stats.ratio({ min: 30, median: 50 }, { min: 10, median: 20 }), { min: 3, median: 2.5 });
  });

  it('starts every round one case later', () => {
    const cases = ['A', 'B', 'C'].map((name) => ({ name }));
    const names = stats.interleave(cases, 4).map((round) => round.map((one) => one.name).join(''));
    assert.deepEqual(names, ['ABC', 'BCA', 'CAB', 'ABC']);
  });

  it('spreads the rounds of a slow case evenly', () => {
    const count = (rounds, wanted) => stats.interleave([{ rounds: wanted }], rounds).map((round) => round.length);
    assert.deepEqual(count(6, 2), [0, 0, 1, 0, 0, 1]);
    assert.deepEqual(count(4, 4), [1, 1, 1, 1]);
    assert.deepEqual(count(2, 5), [1, 1]);
    assert.equal(count(7, 3).filter(Boolean).length, 3);
  });

  it('measures the noise between two pictures in decibel', () => {
    assert.equal(stats.psnr(Uint8Array.of(1, 2), Uint8Array.of(1, 2)), Infinity);
    assert.equal(stats.psnr(Uint8Array.of(0, 0), Uint8Array.of(255, 255)), 0);
    assert.ok(Math.abs(stats.psnr(new Uint8Array(100), new Uint8Array(100).fill(1)) - 48.13) < 0.01);
    assert.throws(() => stats.psnr(new Uint8Array(1), new Uint8Array(2)), RangeError);
  });

  it('judges costs and speeds', () => {
    const cost = (cpu, wall) => ({ cpu: { median: cpu }, wall: { median: wall } });
    const ours = cost(10, 20);
    const peer = cost(40, 30);
    assert.deepEqual(stats.judge({ metric: 'cpu', atMost: 0.25 }, ours, peer), {
      measured: 0.25,
      required: 0.25,
      ok: true,
    });
    assert.deepEqual(stats.judge({ metric: 'wall', speed: 2 }, ours, peer), { measured: 1.5, required: 2, ok: false });
  });

  it('does not believe what cannot be', () => {
    const cost = (wall) => ({ cpu: { median: wall }, wall: { median: wall } });
    const verdict = stats.judge({ metric: 'wall', speed: 1, incredible: 1.4 }, cost(10), cost(20));
    assert.deepEqual(verdict, { measured: 2, required: 1, ok: false, incredible: 1.4 });
  });
});
