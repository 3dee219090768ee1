/** A worker that is blocked for 5 s while 1 GiB is published: what memory grows, and what becomes of the messages. */
import { target } from '../dispatch/servers.mjs';
import { residentMemory } from '../lib/measure.mjs';
import { printRows, printTargets } from '../lib/report.mjs';
import { startCluster } from './cluster.mjs';

const WORKERS = 4;
const RING = 16;

export async function runMemory({ quick }, log) {
  const bytes = quick ? 2 ** 26 : 2 ** 30;
  const title = `One of ${WORKERS} workers blocked for 5 s while ${bytes / 2 ** 20} MiB are published, ring of ${RING} MiB`;
  log(title);
  const cluster = await startCluster('rustcluster', WORKERS);
  const memory = () => cluster.pids.map((pid) => residentMemory(pid));
  const before = memory();
  let result;
  try {
    result = await cluster.run('memory', { size: 16384, bytes, block: quick ? 2000 : 5000 });
    const grown = memory().map(({ peak }, i) => (peak - before[i].now) / 2 ** 20);
    const told = result.got.every((got, i) => got + result.missed[i] === result.count);
    const targets = [
      target('growth of any process, MiB', 'at most', RING + 16, Math.max(...grown)),
      target('workers that have every message or know how many they missed', 'at least', 1, told ? 1 : 0),
    ];
    const rows = grown.map((growth, i) => ({
      '': i === 0 ? 'primary' : `worker ${i}`,
      'grown MiB': growth,
      got: result.got[i - 1],
      missed: result.missed[i - 1],
    }));
    printRows(title, rows);
    printTargets(targets);
    return { name: 'memory', title, cases: [{ name: 'rustcluster', ours: true, grown, ...result }], targets };
  } finally {
    await cluster.stop();
  }
}
