/** Single messages to 8 sleeping workers: what each costs, and when the last has it. */
import { target } from '../dispatch/servers.mjs';
import { printRows, printTargets } from '../lib/report.mjs';
import { interleave, median, quantile } from '../lib/stats.mjs';
import { withCluster } from './cluster.mjs';

const WORKERS = 8;
/** Messages a spell, and spells a round. */
const [COUNT, SPELLS] = [25, 12];

export async function runSparse({ quick, rounds }, log) {
  const title = `Single messages of 64 B from the primary to ${WORKERS} workers asleep, us`;
  log(title);
  const cases = [
    { name: 'rustcluster', mode: 'rustcluster', ours: true },
    { name: 'worker.send', mode: 'stock' },
  ].map((one) => ({ ...one, runs: [], latencies: [] }));
  const warmUp = { size: 64, count: quick ? 20 : 500, bursts: quick ? 1 : 10 };
  const count = quick ? 20 : COUNT;
  for (let round = 0; round < rounds; round++) {
    // Both at once, a few messages of the one and then of the other: asleep they cost each other nothing, and what the
    // machine does beside, which changes from second to second, hits both.
    await withCluster(cases[0].mode, WORKERS, (first) =>
      withCluster(cases[1].mode, WORKERS, async (second) => {
        const clusters = [first, second];
        for (const cluster of clusters) {
          // Until the compilers have settled, as in an app that has been sending for a while.
          await cluster.run('bursts', warmUp);
          await cluster.run('sparse', { size: 64, count: 20, every: 5 });
        }
        for (const list of interleave([0, 1], quick ? 1 : SPELLS)) {
          for (const i of list) await measure(cases[i], clusters[i], count);
        }
      }),
    );
  }
  const of = (one, figure) => median(one.runs.map((run) => run[figure]));
  const [ours, stock] = cases;
  const targets = [
    target("sender's CPU: ours / worker.send", 'at most', 0.6, of(ours, 'sender') / of(stock, 'sender')),
    target(
      'p50 until the last has it: ours / worker.send',
      'at most',
      0.7,
      median(ours.latencies) / median(stock.latencies),
    ),
  ];
  const row = (one) => ({
    '': one.name,
    'sender us': of(one, 'sender'),
    'and an empty turn': of(one, 'idle'),
    'p50 us': median(one.latencies),
    'p99 us': quantile(one.latencies, 0.99),
  });
  printRows(title, cases.map(row));
  printTargets(targets);
  return { name: 'sparse', title, cases, targets };
}

async function measure(one, cluster, count) {
  const { sender, idle, latencies, arrived } = await cluster.run('sparse', { size: 64, count, every: 5 });
  if (arrived !== count) throw new Error(`${one.name}: ${arrived} of ${count} messages arrived`);
  one.runs.push({ sender, idle });
  one.latencies.push(...latencies);
}
