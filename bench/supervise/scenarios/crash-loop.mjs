/** A program that can only crash is given up; one worker that can only crash costs almost nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { appFile, launchApp, temporaryFolder } from '../lib/app.mjs';
import { holds, promise } from '../lib/promise.mjs';

export const title = 'an app that crashes at every start, in all workers, and in one of two';
export const limit = 120;

const [WORKERS, CRASHES] = [4, 5];
const TICK = 10;

export async function run({ log, quick }) {
  const record = join(temporaryFolder(), 'starts');
  const starts = (slot) =>
    readFileSync(record, 'utf8')
      .split('\n')
      .filter((line) => line === String(slot)).length;
  const given = ['-w', String(WORKERS), '--max-crashes', String(CRASHES)];
  const hopeless = launchApp(appFile('one-crashes.cjs'), given, { LOG_FILE: record, ALL_CRASH: '1' });
  const { code, output } = await hopeless.ended;
  const most = Math.max(...Array.from({ length: WORKERS }, (_, slot) => starts(slot)));
  log(`all crash: exit code ${code}, at most ${most} starts of one worker`);

  const partial = join(temporaryFolder(), 'starts');
  const app = launchApp(appFile('one-crashes.cjs'), ['-w', '2'], { LOG_FILE: partial });
  // By then the pauses are seconds long.
  const wanted = quick ? 6 : 11;
  const count = () => (existsSync(partial) ? readFileSync(partial, 'utf8').split('1\n').length - 1 : 0);
  while (count() < wanted && !app.hasEnded) await sleep(50);
  const [before, since] = [cpu(app.pid), performance.now()];
  await sleep(quick ? 3_000 : 20_000);
  const share = (cpu(app.pid) - before) / (performance.now() - since);
  const survived = !app.hasEnded;
  const [tried, crashes] = [count(), wanted];
  await app.stop();
  log(`one of two crashes: ${(share * 100).toFixed(2)}% CPU after ${crashes} crashes, ${tried} starts in all`);
  const rows = [
    { what: 'all workers crash', 'starts of one worker': most, 'exit code': code, 'CPU %': '' },
    { what: 'one of two crashes', 'starts of one worker': tried, 'exit code': '', 'CPU %': share * 100 },
  ];
  const told = /ERR_CRASH_LOOP: Worker \d \(pid \d+\) ended with exit code 1, 5 times[\s\S]*it crashes at every start/;
  return {
    rows,
    targets: [
      promise('starts of one worker', 'at most', CRASHES, most),
      holds('exit code is not 0', code !== 0 && code !== null),
      holds('worker, exit code and last words are told', told.test(output)),
      holds('with one sound worker it goes on', survived),
      promise('CPU while backing off, %, restarts included', 'at most', 5, share * 100),
    ],
  };
}

/** @returns {number} milliseconds of CPU of a process, of its living children and of those it has waited for */
function cpu(pid) {
  const of = (one) => {
    const text = readFileSync(`/proc/${one}/stat`, 'latin1');
    const [user, system, waitedUser, waitedSystem] = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15);
    return (Number(user) + Number(system) + Number(waitedUser) + Number(waitedSystem)) * TICK;
  };
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return of(pid) + children.reduce((sum, child) => sum + of(child), 0);
}
