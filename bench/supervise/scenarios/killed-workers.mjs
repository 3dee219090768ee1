/** A worker is SIGKILLed every second: only what it was serving fails, and another one takes its place. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { appFile, startApp, temporaryFolder } from '../lib/app.mjs';
import { load } from '../lib/load.mjs';
import { promise } from '../lib/promise.mjs';
import { quantile, servesWithout, until } from '../lib/watch.mjs';

export const title = 'a worker SIGKILLed every second, under load from clients that connect anew each time';
export const limit = 200;

const WORKERS = 4;

export async function run({ log, quick }) {
  const [rows, targets] = [[], []];
  for (const spares of [1, 0]) {
    log(`spares: ${spares}`);
    const one = await measure(spares, quick ? 10 : 60);
    rows.push({ spares, ...one });
    targets.push(
      promise(
        `spares ${spares}: failed requests on connections no worker had taken`,
        'exactly',
        0,
        one['taken by nobody'],
      ),
      promise(`spares ${spares}: failed of other workers`, 'exactly', 0, one["others'"]),
    );
  }
  targets.push(promise('capacity back with a spare, ms, p50', 'at most', 50, rows[0]['back ms p50']));
  targets.push(promise('capacity back with a spare, ms, longest', 'at most', 50, rows[0]['back ms max']));
  return { rows, targets };
}

async function measure(spares, kills) {
  const record = join(temporaryFolder(), 'begun');
  const app = await startApp(appFile('app.cjs'), ['-w', String(WORKERS), '--spares', String(spares)], {
    LOG_FILE: record,
  });
  const stop = load(app.port, { clients: 8, path: '/work', pause: 5 });
  const [back, killed] = [[], new Set()];
  for (let i = 0; i < kills; i += 1) {
    const next = sleep(1000);
    const serving = await app.workers();
    const { pid } = serving[i % serving.length];
    killed.add(String(pid));
    process.kill(pid, 'SIGKILL');
    const at = performance.now();
    back.push((await until(app, servesWithout(pid, WORKERS))) - at);
    await next;
  }
  const { ok, failures } = await stop();
  await app.stop();
  // A port may have been used by several connections, one after the other.
  const seen = new Map();
  for (const line of readFileSync(record, 'utf8').trim().split('\n')) {
    const [what, number, pid] = line.split(' ');
    const key = `${what} ${number}`;
    seen.set(key, [...(seen.get(key) ?? []), pid]);
  }
  // Taken and not begun: it died between reading the request and the app's first line. Of one that it had not read the
  // primary has kept a copy, and another worker has answered.
  const by = { begun: 0, taken: 0, nobody: 0, others: 0 };
  for (const { id, port } of failures) {
    const [begun, taken] = [seen.get(`begun ${id}`), seen.get(`taken ${port}`)];
    const died = (pids) => pids?.some((pid) => killed.has(pid));
    if (died(begun)) by.begun += 1;
    else if (begun === undefined && died(taken)) by.taken += 1;
    else if (begun === undefined && taken === undefined) by.nobody += 1;
    else by.others += 1;
  }
  return {
    kills,
    requests: ok + failures.length,
    'failed: begun by the killed': by.begun,
    'read by it, not begun': by.taken,
    'taken by nobody': by.nobody,
    "others'": by.others,
    'back ms p50': quantile(back, 0.5),
    'back ms max': Math.max(...back),
  };
}
