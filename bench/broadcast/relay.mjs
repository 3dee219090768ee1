/** From one worker to all others: straight, and the way through the primary. */
import { target } from '../dispatch/servers.mjs';
import { printRows, printTargets } from '../lib/report.mjs';
import { interleave, median } from '../lib/stats.mjs';
import { withCluster } from './cluster.mjs';

const WORKERS = 8;
/** Messages before the compilers have settled, and messages that are measured: a quarter of a second of ours. */
const [WARM_UP, COUNT] = [20_000, 60_000];

export async function runRelay({ quick, rounds }, log) {
  const title = `1 KiB from one worker to the ${WORKERS - 1} others, deliveries a millisecond`;
  log(title);
  const cases = [
    { name: 'rustcluster', mode: 'rustcluster', ours: true },
    { name: 'through the primary', mode: 'stock' },
  ].map((one) => ({ ...one, runs: [] }));
  const [warmUp, count] = quick ? [200, 200] : [WARM_UP, COUNT];
  for (const list of interleave(cases, rounds)) {
    for (const one of list) {
      await withCluster(one.mode, WORKERS, async (cluster) => {
        await cluster.run('relay', { size: 1024, count: warmUp });
        one.runs.push(await cluster.run('relay', { size: 1024, count }));
      });
    }
  }
  const of = (one, figure = 'rate') => median(one.runs.map((run) => run[figure]));
  const [ours, stock] = cases;
  const targets = [target('deliveries a second: ours / through the primary', 'at least', 8, of(ours) / of(stock))];
  printRows(
    title,
    cases.map((one) => ({ '': one.name, 'deliveries/ms': of(one), 'CPU of all, us a delivery': of(one, 'cpu') })),
  );
  printTargets(targets);
  return { name: 'relay', title, cases, targets };
}
