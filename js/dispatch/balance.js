'use strict';
/**
 * How many connections each worker has too many, when all shall have the same number (or one more, where it does not
 * divide). Arithmetic only.
 * @param {{ id: number, active: number }[]} loads
 * @returns {{ id: number, count: number }[]} those that have too many
 */
function surplus(loads) {
  const total = loads.reduce((sum, { active }) => sum + active, 0);
  const share = Math.floor(total / loads.length);
  const more = total % loads.length;
  // Who has most keeps the odd ones: nothing moves that need not.
  const ranked = [...loads].sort((one, other) => other.active - one.active);
  return ranked
    .map(({ id, active }, rank) => ({ id, count: active - share - (rank < more ? 1 : 0) }))
    .filter(({ count }) => count > 0);
}

module.exports = { surplus };
