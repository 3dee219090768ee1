'use strict';
// How many connections a worker has too many: arithmetic only.
const assert = require('node:assert/strict');
const { surplus } = require('../../js/dispatch/balance.js');

const loads = (...counts) => counts.map((active, i) => ({ id: i + 1, active }));

describe('the surplus of a worker', () => {
  for (const [what, counts, wanted] of [
    ['is half of all when a second one comes', [32, 0], [{ id: 1, count: 16 }]],
    ['leaves the odd one where it is', [33, 0], [{ id: 1, count: 16 }]],
    ['is nothing where all have the same', [5, 5, 5], []],
    ['is nothing where they differ by one', [5, 6, 5], []],
    [
      'is spread over those that have too many',
      [9, 1, 8, 2],
      [
        { id: 1, count: 4 },
        { id: 3, count: 3 },
      ],
    ],
    ['is nothing of nothing', [0, 0], []],
    ['is nothing without workers', [], []],
  ]) {
    it(what, () => assert.deepEqual(surplus(loads(...counts)), wanted));
  }

  it('makes all even when it is moved to those with the fewest', () => {
    const counts = [40, 7, 0, 3, 13];
    for (const { id, count } of surplus(loads(...counts))) {
      for (let i = 0; i < count; i += 1) {
        counts[id - 1] -= 1;
        counts[counts.indexOf(Math.min(...counts))] += 1;
      }
    }
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, String(counts));
  });
});
