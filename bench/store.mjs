/** The store beside Redis over loopback, and what it promises whatever happens to its processes. */
import { runCounting } from './store/counting.mjs';
import { runKills } from './store/kills.mjs';
import { runOne } from './store/one.mjs';

export const rounds = 15;

/**
 * @param {object} options
 * @param {(line: string) => void} log
 * @returns {Promise<object[]>} the reports
 */
export async function run(options, log) {
  const reports = [];
  const experiments = {
    one: () => runOne(options, log),
    counting: () => runCounting(options, log),
    kills: () => runKills(options, log),
  };
  for (const [name, experiment] of Object.entries(experiments)) {
    if (name.includes(options.only)) reports.push(await experiment());
  }
  return reports;
}
