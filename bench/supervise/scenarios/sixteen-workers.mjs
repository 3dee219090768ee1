/** A reload of 16 workers: there are 16 ready ones at every moment, and no client notices. */
import { appFile, startApp } from '../lib/app.mjs';
import { load } from '../lib/load.mjs';
import { promise } from '../lib/promise.mjs';

export const title = 'a reload of 16 workers, looked at all the time';
export const limit = 120;

const WORKERS = 16;

export async function run({ log, quick }) {
  const [rows, targets] = [[], []];
  for (const concurrency of quick ? [4] : [1, 4]) {
    const app = await startApp(appFile('app.cjs'), ['-w', String(WORKERS), '--concurrency', String(concurrency)]);
    const loads = ['close', 'keep-alive', 'idle'].map((kind) => load(app.port, { kind, clients: 4, pause: 5 }));
    const before = (await app.workers()).map(({ pid }) => pid);
    const seen = { fewest: WORKERS, looks: 0, over: false };
    const watching = watch(app, seen);
    const began = performance.now();
    await app.ask('reload');
    const seconds = (performance.now() - began) / 1000;
    // Until the last old one has gone.
    while ((await app.ask('status')).list.length > WORKERS);
    seen.over = true;
    await watching;
    const tallies = await Promise.all(loads.map((stop) => stop()));
    const after = (await app.workers()).map(({ pid }) => pid);
    await app.stop();
    log(`concurrency ${concurrency}: ${seconds.toFixed(1)} s, never fewer than ${seen.fewest} in ${seen.looks} looks`);
    const failed = tallies.reduce((sum, { failures }) => sum + failures.length, 0);
    rows.push({
      concurrency,
      's for the reload': seconds,
      looks: seen.looks,
      'fewest ready': seen.fewest,
      requests: tallies.reduce((sum, { ok }) => sum + ok, 0),
      failed,
    });
    targets.push(
      promise(`concurrency ${concurrency}: fewest ready workers`, 'at least', WORKERS, seen.fewest),
      promise(`concurrency ${concurrency}: workers replaced`, 'exactly', WORKERS, countNew(before, after)),
      promise(`concurrency ${concurrency}: failed requests`, 'exactly', 0, failed),
    );
  }
  return { rows, targets };
}

const countNew = (before, after) => after.filter((pid) => !before.includes(pid)).length;

async function watch(app, seen) {
  while (!seen.over) {
    const serving = await app.workers();
    seen.fewest = Math.min(seen.fewest, serving.length);
    seen.looks += 1;
  }
}
