/** Workers of node:cluster that do as they are told: bench/fixtures/store-worker.mjs. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../lib/ours.mjs';

/**
 * @param {number} workers
 * @param {object} [options] of the store
 * @returns {Promise<{ pids: number[], each(task: string, arg: object): Promise<any[]>, kill(): Promise<void>,
 *   stop(): Promise<void> }>}
 */
export async function startCrew(workers, options = {}) {
  const child = fork(join(ROOT, 'bench/fixtures/store-worker.mjs'), [JSON.stringify({ workers, options })]);
  const waiting = new Map();
  child.on('message', ({ id, answers }) => waiting.get(id)?.resolve(answers));
  child.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('the crew has ended'));
  });
  const [{ pids }] = await once(child, 'message');
  let lastId = 0;
  return {
    pids,
    each(task, arg) {
      const id = ++lastId;
      child.send({ id, task, arg });
      return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
    },
    async kill() {
      const gone = once(child, 'exit');
      for (const pid of [...pids, child.pid]) process.kill(pid, 'SIGKILL');
      await gone;
      while (pids.some(isRunning)) await sleep(1);
    },
    async stop() {
      const gone = once(child, 'exit');
      child.disconnect();
      await gone;
    },
  };
}

function isRunning(pid) {
  const file = `/proc/${pid}/status`;
  try {
    return existsSync(file) && !/^State:\s+Z/m.test(readFileSync(file, 'latin1'));
  } catch {
    return false;
  }
}
