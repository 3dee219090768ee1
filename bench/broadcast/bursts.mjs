/** What a message costs its sender and each reader when many come at once, and how many arrive a second. */
import { target } from '../dispatch/servers.mjs';
import { printRows, printTargets } from '../lib/report.mjs';
import { interleave, median } from '../lib/stats.mjs';
import { withCluster } from './cluster.mjs';

/** size in bytes, messages a burst, bursts a run, and the shares of stock's CPU: sender, reader. */
const SIZES = [
  { size: 64, count: 4000, bursts: 10, sender: 0.08, reader: 0.25 },
  { size: 1024, count: 2000, bursts: 5, sender: 0.1, reader: 0.3 },
  { size: 16384, count: 400, bursts: 3, sender: 0.12, reader: 0.45 },
];
const WORKERS = 8;
const RING = 16 * 2 ** 20;

export async function runBursts({ quick, rounds }, log) {
  const title = `Bursts from the primary to ${WORKERS} workers, us of CPU a message`;
  log(title);
  const cases = SIZES.flatMap((one) => [
    { ...one, name: `rustcluster, ${one.size} B`, mode: 'rustcluster', ours: true },
    { ...one, name: `worker.send, ${one.size} B`, mode: 'stock' },
  ]);
  cases.push({ ...SIZES[2], name: 'rustcluster, Buffer of 16384 B', mode: 'rustcluster', ours: true, raw: true });
  for (const one of cases) one.runs = [];
  const modes = ['rustcluster', 'stock'].map((mode) => ({ mode }));
  for (const list of interleave(modes, rounds)) {
    for (const { mode } of list)
      await withCluster(mode, WORKERS, async (cluster) => {
        for (const one of cases) if (one.mode === mode) one.runs.push(await measure(cluster, one, quick));
      });
  }
  const of = (name, figure) => median(cases.find((one) => one.name === name).runs.map((run) => run[figure]));
  const share = (figure, size, ours = `rustcluster, ${size} B`) =>
    of(ours, figure) / of(`worker.send, ${size} B`, figure);
  const targets = SIZES.flatMap(({ size, sender, reader }) => [
    target(`sender's CPU, ${size} B: ours / worker.send`, 'at most', sender, share('sender', size)),
    target(`reader's CPU, ${size} B: ours / worker.send`, 'at most', reader, share('reader', size)),
  ]);
  const raw = share('sender', 16384, 'rustcluster, Buffer of 16384 B');
  targets.push(target("sender's CPU, Buffer of 16 KiB: ours / worker.send", 'at most', 0.02, raw));
  targets.push(target('deliveries a second, 1 KiB: ours / worker.send', 'at least', 5, share('rate', 1024)));
  const rows = cases.map(({ name, ours }) => ({
    '': ours ? `* ${name}` : name,
    'sender us': of(name, 'sender'),
    'reader us': of(name, 'reader'),
    'deliveries/ms': of(name, 'rate'),
  }));
  printRows(title, rows);
  printTargets(targets);
  return { name: 'bursts', title, cases, targets };
}

/** How the sender's cost grows with the number of workers: it should not. */
export async function runGrowth({ quick, rounds }, log) {
  const title = 'Bursts of 1 KiB from the primary, by the number of workers, us of CPU a message';
  log(title);
  const cases = [2, 8, 32].map((workers) => ({
    ...SIZES[1],
    workers,
    name: `${workers} workers`,
    ours: true,
    runs: [],
  }));
  for (const list of interleave(cases, Math.min(rounds, 3))) {
    for (const one of list)
      await withCluster('rustcluster', one.workers, async (cluster) => {
        one.runs.push(await measure(cluster, one, quick));
      });
  }
  const of = (one) => median(one.runs.map(({ sender }) => sender));
  const targets = [target("sender's CPU, 32 workers / 2 workers", 'at most', 1.5, of(cases[2]) / of(cases[0]))];
  printRows(
    title,
    cases.map((one) => ({ '': one.name, 'sender us': of(one) })),
  );
  printTargets(targets);
  return { name: 'growth', title, cases, targets };
}

async function measure(cluster, { size, raw, count, bursts }, quick) {
  // Until the compilers have settled and every page of the ring has been touched by everyone.
  const warmUp = Math.max(5, Math.ceil((1.1 * RING) / (size * count)));
  await cluster.run('bursts', { size, raw, count, bursts: quick ? 1 : Math.min(warmUp, 20) });
  return await cluster.run('bursts', { size, raw, count, bursts: quick ? 1 : bursts });
}
