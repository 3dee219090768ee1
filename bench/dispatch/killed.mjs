/** What becomes of clients that wait for a worker which is killed. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from '../lib/http.mjs';
import { printRows, printTargets } from '../lib/report.mjs';
import { interleave } from '../lib/stats.mjs';
import { able, label, middle, modes, remark, start, target } from './servers.mjs';

const CLIENTS = 100;
/** Of each peer: what it loses takes each of its clients all its patience. */
const ROUNDS = 2;
/** How long a client waits before it counts as lost, in milliseconds: well above what a replacement takes to start. */
const PATIENCE = 6_000;
/** After how long another worker is asked to hang: the last question may have gone to one that hangs already. */
const AGAIN = 300;

export async function runKilled({ node, rounds }, log) {
  const title = `Clients answered of ${CLIENTS} that wait for workers which hang and are killed`;
  log(title);
  const cases = modes(node).map((one) => ({ ...one, rounds: one.ours ? rounds : Math.min(rounds, ROUNDS) }));
  for (const list of interleave(able(cases), rounds)) {
    for (const one of list) {
      const run = { one: await measure(one, 1), four: await measure(one, 4) };
      log(`  ${one.mode}: ${run.one} with one worker, ${run.four} with four`);
      one.runs.push(run);
    }
  }
  const [ours] = cases;
  const fewest = (name) => Math.min(...ours.runs.map((run) => run[name]));
  const targets = [
    target('answered with one worker, in any round', 'at least', CLIENTS, fewest('one')),
    target('answered with four workers, in any round', 'at least', CLIENTS, fewest('four')),
  ];
  const rows = cases.map((one) => ({
    '': label(one),
    'one worker': middle(one, 'one'),
    'four workers': middle(one, 'four'),
    ' ': remark(one),
  }));
  printRows(title, rows);
  printTargets(targets);
  return { name: 'killed', title, cases, targets };
}

/** @returns {Promise<number>} clients answered */
async function measure(one, workers) {
  const folder = mkdtempSync(join(tmpdir(), 'rustcluster-hang-'));
  const armed = join(folder, 'armed');
  const server = await start(one, workers, { env: { HANG: folder } });
  try {
    writeFileSync(armed, '');
    const hung = () => readdirSync(folder).filter((name) => name !== 'armed');
    for (let i = 0; hung().length < workers; i++) {
      if (i > 20 * workers) throw new Error(`only ${hung().length} of ${workers} workers hang`);
      const before = hung().length;
      request(server.port, '/hang', { timeout: PATIENCE }).catch(() => {});
      for (let t = 0; t < AGAIN && hung().length === before; t += 5) await sleep(5);
    }
    rmSync(armed);
    const pids = hung().map(Number);
    const clients = Array.from({ length: CLIENTS }, () => request(server.port, '/', { timeout: PATIENCE }));
    const settled = Promise.allSettled(clients);
    // All have connected, and whoever accepts has accepted what it will.
    await sleep(500);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    return (await settled).filter(({ value }) => value?.status === 200).length;
  } finally {
    await server.stop();
    if (existsSync(folder)) rmSync(folder, { recursive: true });
  }
}
