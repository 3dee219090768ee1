/** kill -9 of all processes in mid-write, again and again: what was acknowledged must be there. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { target } from '../dispatch/servers.mjs';
import { ours } from '../lib/ours.mjs';
import { printRows, printTargets } from '../lib/report.mjs';
import { startCrew } from './crew.mjs';

const WORKERS = 3;

export async function runKills({ quick }, log) {
  const kills = quick ? 5 : 200;
  const title = `kill -9 of ${WORKERS} writers and their primary in mid-write, ${kills} times, a durable store`;
  log(title);
  const folder = mkdtempSync(join(tmpdir(), 'rustcluster-bench-'));
  const counts = { kills: 0, acknowledged: 0, missing: 0, 'could not open': 0 };
  try {
    for (let round = 0; round < kills; round++) {
      const acks = await killOnce(folder, round);
      counts.kills++;
      try {
        const store = ours.openStore('bench', { path: folder, maxSize: 2 ** 32 });
        for (const [key, length] of acks) {
          counts.acknowledged++;
          if (store.getSync(key)?.length !== length) counts.missing++;
        }
        await store.clear();
        await store.close();
      } catch (error) {
        log(`  ${error.message}`);
        counts['could not open']++;
      }
      if (round % 20 === 19) log(`  ${round + 1}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  printRows(title, [counts]);
  const targets = [
    target('acknowledged writes that are missing', 'at most', 0, counts.missing),
    target('openings that failed', 'at most', 0, counts['could not open']),
  ];
  printTargets(targets);
  return { name: 'kills', title, cases: [counts], targets };
}

/** @returns {Promise<[string, number][]>} acknowledged keys, and the length of their values */
async function killOnce(folder, round) {
  const crew = await startCrew(WORKERS, { path: folder, maxSize: 2 ** 32 });
  const file = join(folder, `acks-${round}`);
  crew.each('write', { file, round }).catch(() => {});
  const files = crew.pids.map((pid) => `${file}-${pid}`);
  const written = () => files.reduce((sum, name) => sum + (existsSync(name) ? statSync(name).size : 0), 0);
  while (written() < 300) await sleep(1);
  // At another instant each time.
  await sleep((round * 7) % 20);
  await crew.kill();
  const acks = files.filter(existsSync).flatMap((name) => readFileSync(name, 'utf8').split('\n').slice(0, -1));
  for (const name of files) rmSync(name, { force: true });
  return acks.map((line) => [line.split(' ')[0], Number(line.split(' ')[1])]);
}
