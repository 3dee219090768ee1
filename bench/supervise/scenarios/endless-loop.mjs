/** A worker in an endless loop: replaced in time, and nobody but its own clients notices. */
import { setTimeout as sleep } from 'node:timers/promises';
import { appFile, startApp } from '../lib/app.mjs';
import { begin, load } from '../lib/load.mjs';
import { promise } from '../lib/promise.mjs';
import { quantile, servesWithout, until } from '../lib/watch.mjs';

export const title = 'workers that fall into an endless loop, one after the other';
export const limit = 120;

const [WORKERS, STALL] = [4, 1000];

export async function run({ log, quick }) {
  const rounds = quick ? 3 : 15;
  const app = await startApp(appFile('app.cjs'), ['-w', String(WORKERS), '--stall-timeout', String(STALL)]);
  const loads = [
    load(app.port, { clients: 6, pause: 5 }),
    load(app.port, { clients: 8, kind: 'keep-alive', pause: 5 }),
    load(app.port, { clients: 8, kind: 'idle' }),
  ];
  const hung = [];
  for (let i = 0; i < rounds; i += 1) {
    await sleep(300);
    const { pid, at } = await begin(app.port, '/block');
    const back = await until(app, servesWithout(pid, WORKERS));
    hung.push({ pid: String(pid), at, took: back - at });
    log(`round ${i + 1}: replaced after ${Math.round(back - at)} ms`);
  }
  const [close, ...kept] = await Promise.all(loads.map((stop) => stop()));
  const { stalls } = await app.ask('status');
  await app.stop();
  const took = hung.map((one) => one.took);
  // Of a connection that was opened after the loop began nobody can say that the worker had taken it.
  const after = close.failures.filter(({ began }) => hung.some(({ at }) => began > at && began < at + STALL));
  const others = kept
    .flatMap(({ failures }) => failures)
    .filter(({ pid, began }) => !hung.some((one) => one.pid === pid && began < one.at + one.took + 1000));
  const row = {
    rounds,
    'replaced after ms p50': quantile(took, 0.5),
    longest: Math.max(...took),
    requests: [close, ...kept].reduce((sum, { ok, failures }) => sum + ok + failures.length, 0),
    "failed, the hanging ones' own": close.failures.length + kept.flatMap(({ failures }) => failures).length,
    'failed, opened after': after.length,
    "failed, others'": others.length,
    'slowest new connection ms': close.slowest,
  };
  return {
    rows: [row],
    targets: [
      promise('workers found hanging', 'exactly', rounds, stalls),
      promise('longest until replaced, ms', 'at most', STALL + 200, row.longest),
      promise("failed requests on others' kept connections", 'exactly', 0, others.length),
      promise('failed requests on connections opened after it hung', 'exactly', 0, after.length),
    ],
  };
}
