/** Eight processes that count one key, and a thousand callers of getOrSet. */
import { performance } from 'node:perf_hooks';
import { target } from '../dispatch/servers.mjs';
import { printRows, printTargets } from '../lib/report.mjs';
import { startCrew } from './crew.mjs';

const WORKERS = 8;

export async function runCounting({ quick }, log) {
  const each = quick ? 5_000 : 100_000;
  const title = `${WORKERS} processes`;
  log(`${WORKERS} processes that increment one key ${each} times each; 1,000 concurrent callers of getOrSet`);
  const crew = await startCrew(WORKERS);
  try {
    const begin = performance.now();
    await crew.each('count', { each });
    const seconds = (performance.now() - begin) / 1000;
    const [sum] = await crew.each('read', { key: 'count' });
    const runs = [];
    for (let round = 0; round < (quick ? 2 : 20); round++) {
      const answers = await crew.each('flight', { key: `flight ${round}`, callers: 1000 / WORKERS });
      runs.push(answers.reduce((total, { runs }) => total + runs, 0));
      if (answers.some(({ wrong }) => wrong > 0)) throw new Error('getOrSet gave different values');
    }
    const rows = [
      { '': 'increments', measured: sum },
      { '': 'increments a second', measured: Math.round(sum / seconds) },
      { '': 'runs of the function for 1,000 callers, most', measured: Math.max(...runs) },
    ];
    printRows(title, rows);
    const targets = [
      target('sum of all increments, lost ones', 'at most', 0, Math.abs(each * WORKERS - sum)),
      target('runs of the function for 1,000 callers, most', 'at most', 1, Math.max(...runs)),
    ];
    printTargets(targets);
    return { name: 'counting', title, cases: rows, targets };
  } finally {
    await crew.stop();
  }
}
