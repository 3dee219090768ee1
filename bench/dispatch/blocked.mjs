/** What a worker that is blocked for 200 ms, twice a second, does to everybody else's requests. */
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from '../lib/http.mjs';
import { printRows, printTargets } from '../lib/report.mjs';
import { quantile } from '../lib/stats.mjs';
import { httpLoad } from './client.mjs';
import { label, measureRounds, middle, modes, remark, target } from './servers.mjs';

const [RATE, EVERY, WORKERS] = [400, 200, 4];

export async function runBlocked({ node, quick, rounds }, log) {
  const seconds = quick ? 2 : 4;
  const title = `${RATE} connections a second for ${seconds} s, every ${EVERY}th blocks one of ${WORKERS} workers for 200 ms`;
  log(title);
  const program = httpLoad();
  const ask = program ? light(program, seconds) : own(seconds);
  const cases = modes(node);
  await measureRounds(cases, { workers: WORKERS, rounds }, (one, server) => measure(one, server, ask, log));
  const [ours, stock] = cases;
  const targets = [
    target('p99 against stock round robin', 'at most', 0.5, middle(ours, 'p99') / middle(stock, 'p99')),
    target('longest wait in any round, ms', 'at most', 60, Math.max(...ours.runs.map(({ max }) => max))),
  ];
  const rows = cases.map((one) => ({
    '': label(one),
    'p50 ms': middle(one, 'p50'),
    'p99 ms': middle(one, 'p99'),
    'max ms': middle(one, 'max'),
    failed: one.runs.reduce((sum, { failed }) => sum + failed, 0),
    ' ': remark(one),
  }));
  printRows(title, rows);
  printTargets(targets);
  return { name: 'blocked', title, cases, targets };
}

async function measure(one, server, ask, log) {
  const { failed, waits } = await ask(server.port);
  const run = { p50: quantile(waits, 0.5), p99: quantile(waits, 0.99), max: Math.max(...waits), failed };
  log(`  ${one.mode}: p99 ${run.p99.toFixed(1)} ms, max ${run.max.toFixed(1)} ms`);
  return run;
}

/**
 * An open loop: a slow answer holds no later request back, and each is timed from when it was due. In milliseconds,
 * those that block left out.
 */
const light = (program, seconds) => async (port) => {
  const all = await program('paced', port, RATE, seconds, EVERY);
  const waits = all.filter((micros, i) => i % EVERY !== 0 && micros >= 0).map((micros) => micros / 1000);
  return { failed: all.filter((micros) => micros < 0).length, waits };
};

/** The same in this process, where there is no cargo: slower by itself. */
const own = (seconds) => async (port) => {
  const [waits, pending] = [[], []];
  let failed = 0;
  const begin = performance.now();
  for (let i = 0; i < RATE * seconds; i++) {
    const due = begin + (i * 1000) / RATE;
    const early = due - performance.now();
    if (early > 0) await sleep(early);
    const blocks = i % EVERY === 0;
    const answer = request(port, blocks ? '/block' : '/').then(
      () => blocks || waits.push(performance.now() - due),
      () => {
        failed++;
      },
    );
    pending.push(answer);
  }
  await Promise.all(pending);
  return { failed, waits };
};
