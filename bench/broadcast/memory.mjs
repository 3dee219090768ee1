/** A worker that is blocked for 5 s while 1 GiB is published: what memory grows, and what becomes of the messages. */
import { writeFileSync } from 'node:fs';
import { target } from '../dispatch/servers.mjs';
import { residentMemory } from '../lib/measure.mjs';
import { printRows, printTargets } from '../lib/report.mjs';
import { withCluster } from './cluster.mjs';

const WORKERS = 4;
const RING = 16;
const SIZE = 16384;

export async function runMemory({ quick }, log) {
  const bytes = quick ? 2 ** 26 : 2 ** 30;
  const title = `One of ${WORKERS} workers blocked for 5 s while ${bytes / 2 ** 20} MiB are published, ring of ${RING} MiB`;
  log(title);
  const { result, grown, since } = await withCluster('rustcluster', WORKERS, async (cluster) => {
    // A cluster that has been at work: the ring has its pages, and the engine the room in which it leaves what it has
    // not collected yet (V8 waits for 32 MiB of arrays).
    const first = bytes / 4;
    const { now: idle, peak: warm } = await watch(cluster, () =>
      cluster.run('memory', { size: SIZE, bytes: first, block: 0 }),
    );
    const { result, peak } = await watch(cluster, () =>
      cluster.run('memory', { size: SIZE, bytes, block: quick ? 2000 : 5000 }),
    );
    const difference = (list, other) => list.map((size, i) => (size - other[i]) / 2 ** 20);
    return { result, grown: difference(peak, warm), since: difference(peak, idle) };
  });
  const garbage = await withCluster('rustcluster', WORKERS, async (cluster) => {
    const { now, peak } = await watch(cluster, () => cluster.run('garbage', { size: SIZE, bytes }));
    return Math.max(...peak.map((size, i) => (size - now[i]) / 2 ** 20).slice(1));
  });
  const told = result.got.every((got, i) => got + result.missed[i] === result.count);
  const targets = [
    target(
      'growth of any process beyond that of the quarter GiB before, MiB',
      'at most',
      RING + 16,
      Math.max(...grown),
    ),
    target(
      'growth since the start beyond what the engine grows by, MiB',
      'at most',
      RING + 16,
      Math.max(...since) - garbage,
    ),
    target('workers that have every message or know how many they missed', 'at least', 1, told ? 1 : 0),
  ];
  const rows = grown.map((growth, i) => ({
    '': i === 0 ? 'primary' : `worker ${i}`,
    'grown MiB': growth,
    'since its start': since[i],
    got: result.got[i - 1],
    missed: result.missed[i - 1],
  }));
  rows.push({ '': 'worker that makes such arrays itself', 'since its start': garbage });
  printRows(title, rows);
  printTargets(targets);
  const cases = [{ name: 'rustcluster', ours: true, grown, since, garbage, ...result }];
  return { name: 'memory', title, cases, targets };
}

/** Memory of each process, the primary first, in bytes: before `act`, and the most it had since. */
async function watch({ pids }, act) {
  const now = pids.map((pid) => residentMemory(pid).now);
  for (const pid of pids) forgetPeak(pid);
  const result = await act();
  return { now, result, peak: pids.map((pid) => residentMemory(pid).peak) };
}

/** From here on VmHWM tells the peak from here on (proc_pid_clear_refs(5)). */
function forgetPeak(pid) {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
