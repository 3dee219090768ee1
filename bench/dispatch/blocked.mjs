/** What a worker that is blocked for 200 ms, twice a second, does to everybody else's requests. */
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from '../lib/http.mjs';
import { printRows, printTargets } from '../lib/report.mjs';
import { quantile } from '../lib/stats.mjs';
import { httpLoad } from './client.mjs';
import { label, measureRounds, middle, modes, remark, target } from './servers.mjs';

const [RATE, EVERY, WORKERS] = [400, 200, 4];
/**
 * A window in which the client itself was held up for longer, in milliseconds, tells of the machine and not of the servers:
 * it is measured again, and the one in which that was least counts.
 */
const LATE = 5;
const ATTEMPTS = 4;
/** Windows a round: short ones, so that fewer are disturbed. */
const WINDOWS = 2;

export async function runBlocked({ node, quick, rounds }, log) {
  const seconds = 2;
  const windows = quick ? rounds : rounds * WINDOWS;
  const title = `${RATE} connections a second for ${seconds} s at a time, every ${EVERY}th blocks one of ${WORKERS} workers for 200 ms`;
  log(title);
  const program = httpLoad();
  const ask = program ? light(program, seconds) : own(seconds);
  const cases = modes(node);
  await measureRounds(cases, { workers: WORKERS, rounds: windows }, (one, server) => measure(one, server, ask, log));
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
    'client late ms': middle(one, 'late'),
    failed: one.runs.reduce((sum, { failed }) => sum + failed, 0),
    ' ': remark(one),
  }));
  printRows(title, rows);
  printTargets(targets);
  return { name: 'blocked', title, cases, targets };
}

async function measure(one, server, ask, log) {
  let found;
  for (let i = 0; i < ATTEMPTS && !(found?.late <= LATE); i++) {
    const again = await ask(server.port);
    if (found === undefined || again.late < found.late) found = again;
  }
  const { failed, waits, late } = found;
  const run = { p50: quantile(waits, 0.5), p99: quantile(waits, 0.99), max: Math.max(...waits), failed, late };
  log(
    `  ${one.mode}: p99 ${run.p99.toFixed(1)} ms, max ${run.max.toFixed(1)} ms, asked up to ${late.toFixed(1)} ms late`,
  );
  return run;
}

/**
 * An open loop: a slow answer holds no later request back, and each is timed from when it was due. In milliseconds,
 * those that block left out; `late`: by how much the client, which waits for nobody, was held up at most.
 */
const light = (program, seconds) => async (port) => {
  const numbers = await program('paced', port, RATE, seconds, EVERY);
  const all = numbers.filter((_, i) => i % 2 === 0);
  const waits = all.filter((micros, i) => i % EVERY !== 0 && micros >= 0).map((micros) => micros / 1000);
  const late = Math.max(...numbers.filter((_, i) => i % 2 === 1)) / 1000;
  return { failed: all.filter((micros) => micros < 0).length, waits, late };
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
  return { failed, waits, late: 0 };
};
