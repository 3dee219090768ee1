/** What a broadcast costs, beside a loop of worker.send over all workers. */
import { runBursts, runGrowth } from './broadcast/bursts.mjs';
import { runKills } from './broadcast/kills.mjs';
import { runMemory } from './broadcast/memory.mjs';
import { runRelay } from './broadcast/relay.mjs';
import { runSparse } from './broadcast/sparse.mjs';

export const rounds = 5;

const EXPERIMENTS = {
  bursts: runBursts,
  growth: runGrowth,
  sparse: runSparse,
  relay: runRelay,
  memory: runMemory,
};

/** Takes minutes and measures no peer: only when it is asked for by name. */
const ON_REQUEST = { kills: runKills };

/**
 * @param {object} options
 * @param {(line: string) => void} log
 * @returns {Promise<object[]>} the reports
 */
export async function run(options, log) {
  const reports = [];
  const requested = options.only === '' ? {} : ON_REQUEST;
  for (const [name, experiment] of Object.entries({ ...EXPERIMENTS, ...requested })) {
    if (name.includes(options.only)) reports.push(await experiment(options, log));
  }
  return reports;
}
