/** A worker that is blocked for 5 s while 1 GiB is published: what memory grows, and what becomes of the messages. */
import { target } from '../dispatch/servers.mjs';
import { residentMemory } from '../lib/measure.mjs';
import { printRows, printTargets } from '../lib/report.mjs';
import { startCluster } from './cluster.mjs';

const WORKERS = 4;
const RING = 16;
const SIZE = 16384;

export async function runMemory({ quick }, log) {
  const bytes = quick ? 2 ** 26 : 2 ** 30;
  const title = `One of ${WORKERS} workers blocked for 5 s while ${bytes / 2 ** 20} MiB are published, ring of ${RING} MiB`;
  log(title);
  const { result, grown } = await growth('memory', { size: SIZE, bytes, block: quick ? 2000 : 5000 });
  const garbage = Math.max(...(await growth('garbage', { size: SIZE, bytes })).grown.slice(1));
  const told = result.got.every((got, i) => got + result.missed[i] === result.count);
  const targets = [
    target('growth of any process, MiB', 'at most', RING + 16, Math.max(...grown)),
    target('the same beyond what the engine grows by', 'at most', RING + 16, Math.max(...grown) - garbage),
    target('workers that have every message or know how many they missed', 'at least', 1, told ? 1 : 0),
  ];
  const rows = grown.map((growth, i) => ({
    '': i === 0 ? 'primary' : `worker ${i}`,
    'grown MiB': growth,
    got: result.got[i - 1],
    missed: result.missed[i - 1],
  }));
  rows.push({ '': 'worker that makes such arrays itself', 'grown MiB': garbage });
  printRows(title, rows);
  printTargets(targets);
  return { name: 'memory', title, cases: [{ name: 'rustcluster', ours: true, grown, garbage, ...result }], targets };
}

/** By how many MiB each process grows at most, the primary first. */
async function growth(action, options) {
  const cluster = await startCluster('rustcluster', WORKERS);
  try {
    const memory = () => cluster.pids.map((pid) => residentMemory(pid));
    const before = memory();
    const result = await cluster.run(action, options);
    return { result, grown: memory().map(({ peak }, i) => (peak - before[i].now) / 2 ** 20) };
  } finally {
    await cluster.stop();
  }
}
