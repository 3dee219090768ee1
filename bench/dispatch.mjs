/** What a connection costs on its way to a worker, who gets it, and what a blocked worker does to the others. */
import { runBlocked } from './dispatch/blocked.mjs';
import { runKilled } from './dispatch/killed.mjs';
import { runLoad } from './dispatch/load.mjs';
import { runSoak } from './dispatch/soak.mjs';
import { runSpread } from './dispatch/spread.mjs';
import { runSticky } from './dispatch/sticky.mjs';

export const rounds = 5;

/**
 * @param {object} options
 * @param {(line: string) => void} log
 * @returns {Promise<object[]>} the reports
 */
export async function run(options, log) {
  const reports = [];
  const experiments = {
    close: () => runLoad('close', options, log),
    'keep-alive': () => runLoad('keep-alive', options, log),
    spread: () => runSpread(options, log),
    sticky: () => runSticky(options, log),
    blocked: () => runBlocked(options, log),
    killed: () => runKilled(options, log),
    soak: () => runSoak(options, log),
  };
  for (const [name, experiment] of Object.entries(experiments)) {
    if (name.includes(options.only)) reports.push(await experiment());
  }
  return reports;
}
