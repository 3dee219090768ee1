/** Waiting for what a supervisor says of itself. */
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Looks at the status again and again.
 * @param {object} app of app.mjs
 * @param {(status: object) => boolean} isSo
 * @param {number} [within] milliseconds
 * @returns {Promise<number>} performance.now() of the first look at which it was so @throws when it was not in time
 */
export async function until(app, isSo, within = 30_000) {
  const end = performance.now() + within;
  while (performance.now() < end) {
    if (isSo(await app.ask('status'))) return performance.now();
    await sleep(1);
  }
  throw new Error(`not so within ${within} ms:\n${JSON.stringify(await app.ask('status'), null, 2)}`);
}

/** Whether `count` workers serve and `gone`, a pid, is none of them. */
export const servesWithout = (gone, count) => (status) => {
  const serving = status.list.filter(({ role, state }) => role === 'active' && state === 'ready');
  return status.ready === count && serving.every(({ pid }) => pid !== gone);
};

/** @returns {number} of sorted or unsorted numbers, 0 for none */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
