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
  const cases = [];
  for (const mode of ['rustcluster', 'stock']) {
    await withCluster(mode, WORKERS, async (cluster) => {
      // From the start: no message has been sent yet, and the ring has none of its memory.
      const { now, result, peak } = await watch(cluster, () =>
        cluster.run('memory', { size: SIZE, bytes, block: quick ? 2000 : 5000 }),
      );
      const grown = peak.map((size, i) => (size - now[i]) / 2 ** 20);
      const name = mode === 'stock' ? 'worker.send' : mode;
      cases.push({ name, ours: mode !== 'stock', grown, ...result });
    });
  }
  const [ours, stock] = cases;
  const told = ours.got.every((got, i) => got + ours.missed[i] === ours.count);
  const targets = [
    target('growth of any process from its start, MiB', 'at most', RING + 16, Math.max(...ours.grown)),
    target('workers that have every message or know how many they missed', 'at least', 1, told ? 1 : 0),
  ];
  const rows = ours.grown.map((growth, i) => ({
    '': i === 0 ? 'primary' : i === 1 ? 'worker that is blocked' : `worker ${i}`,
    'grown MiB': growth,
    got: ours.got[i - 1],
    missed: ours.missed[i - 1],
    'worker.send, grown MiB': stock.grown[i],
  }));
  printRows(title, rows);
  printTargets(targets);
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
