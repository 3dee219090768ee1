/** Single messages to 8 sleeping workers: what each costs, and when the last has it. */
import { target } from '../dispatch/servers.mjs';
import { printRows, printTargets } from '../lib/report.mjs';
import { interleave, median, quantile } from '../lib/stats.mjs';
import { withCluster } from './cluster.mjs';

const WORKERS = 8;

export async function runSparse({ quick, rounds }, log) {
  const title = `Single messages of 64 B from the primary to ${WORKERS} workers asleep, us`;
  log(title);
  const cases = [
    { name: 'rustcluster', mode: 'rustcluster', ours: true },
    { name: 'worker.send', mode: 'stock' },
  ].map((one) => ({ ...one, runs: [] }));
  const count = quick ? 20 : 300;
  for (const list of interleave(cases, rounds)) {
    for (const one of list) {
      await withCluster(one.mode, WORKERS, async (cluster) => {
        // Until the compilers have settled, as in an app that has been sending for a while.
        await cluster.run('bursts', { size: 64, count: quick ? 20 : 500, bursts: quick ? 1 : 10 });
        await cluster.run('sparse', { size: 64, count: 20, every: 5 });
        const { sender, idle, latencies, arrived } = await cluster.run('sparse', { size: 64, count, every: 5 });
        if (arrived !== count) throw new Error(`${one.name}: ${arrived} of ${count} messages arrived`);
        one.runs.push({ sender, idle, p50: median(latencies), p99: quantile(latencies, 0.99) });
      });
    }
  }
  const of = (one, figure) => median(one.runs.map((run) => run[figure]));
  const [ours, stock] = cases;
  const targets = [
    target("sender's CPU: ours / worker.send", 'at most', 0.6, of(ours, 'sender') / of(stock, 'sender')),
    target('p50 until the last has it: ours / worker.send', 'at most', 0.7, of(ours, 'p50') / of(stock, 'p50')),
  ];
  const row = (one) => ({
    '': one.name,
    'sender us': of(one, 'sender'),
    'and an empty turn': of(one, 'idle'),
    'p50 us': of(one, 'p50'),
    'p99 us': of(one, 'p99'),
  });
  printRows(title, cases.map(row));
  printTargets(targets);
  return { name: 'sparse', title, cases, targets };
}
