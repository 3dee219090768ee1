/** The primary is SIGKILLed: nothing of it is left a second later, whatever its workers were doing. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { family } from '../../lib/processes.mjs';
import { appFile, startApp } from '../lib/app.mjs';
import { begin, load } from '../lib/load.mjs';
import { promise } from '../lib/promise.mjs';

export const title = 'the primary SIGKILLed while its workers idle, serve, compute, wait, and run native threads';
export const limit = 180;

export async function run({ log, quick }) {
  const [times, left] = [[], []];
  const rounds = quick ? 3 : 20;
  for (let i = 0; i < rounds; i += 1) {
    const app = await startApp(appFile('app.cjs'), ['-w', '4', '--spares', '1']);
    // Each takes a worker of its own.
    for (const path of ['/block', '/wait', '/native']) await begin(app.port, path);
    const stop = load(app.port, { clients: 2, pause: 5 });
    const pids = family(app.pid).map(({ pid }) => pid);
    const at = performance.now();
    app.signal('SIGKILL');
    while (pids.some(isAlive) && performance.now() < at + 1000) await sleep(2);
    const alive = pids.filter(isAlive);
    left.push(alive.length);
    times.push(performance.now() - at);
    log(`round ${i + 1}: ${pids.length} processes, ${alive.length} left after ${Math.round(times.at(-1))} ms`);
    for (const pid of alive) process.kill(pid, 'SIGKILL');
    await Promise.all([stop(), app.ended]);
  }
  const all = left.reduce((sum, count) => sum + count, 0);
  return {
    rows: [{ rounds, 'processes left after 1 s': all, 'longest ms': Math.max(...times) }],
    targets: [promise('processes left after one second', 'exactly', 0, all)],
  };
}

/** One that has ended and waits to be reaped by its new parent is gone. */
function isAlive(pid) {
  const file = `/proc/${pid}/stat`;
  try {
    return existsSync(file) && !/\) [ZX] /.test(readFileSync(file, 'latin1'));
  } catch {
    return false;
  }
}
