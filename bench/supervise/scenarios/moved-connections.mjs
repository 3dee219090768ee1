/** Workers come and go under load, again and again: every client keeps its connection, through 50,000 moves. */
import { temporaryFolder } from '../lib/app.mjs';
import { idlers } from '../lib/clients.mjs';
import { startHandover } from '../lib/handover.mjs';
import { readIds } from '../lib/ids.mjs';
import { promise } from '../lib/promise.mjs';

export const title = 'workers come, are given their share and leave, under load';
export const limit = 400;

const CLIENTS = 600;
const MOVES = 50_000;
/** When to stop all the same, in milliseconds. */
const LONGEST = 300_000;

export async function run({ log, quick }) {
  const folder = temporaryFolder();
  const app = await startHandover(folder);
  const ids = [(await app.order('fork')).id, (await app.order('fork')).id];
  const stop = idlers({ kind: 'moved', port: app.port, clients: CLIENTS, pause: [200, 2000] });
  const drains = [];
  const sheds = [];
  const began = performance.now();
  const moves = () => [...drains, ...sheds].reduce((sum, { moved }) => sum + moved, 0);
  while (moves() < (quick ? MOVES / 50 : MOVES) && performance.now() - began < LONGEST) {
    ids.push((await app.order('fork')).id);
    sheds.push(await app.order('rebalance'));
    const { swept, duration, timedOut } = await app.order('drain', { id: ids.shift() });
    drains.push({ moved: swept?.moved ?? 0, idle: swept?.idle ?? 0, duration, timedOut });
    if (drains.length % 20 === 0) log(`${moves()} moves`);
  }
  const { ok, failed } = await stop();
  await app.stop();
  const { executed, twice, connects } = readIds(folder).moved;
  const [moved, idle] = ['moved', 'idle'].map((name) => drains.reduce((sum, one) => sum + one[name], 0));
  const durations = drains.map(({ duration }) => duration).sort((one, other) => one - other);
  const middle = durations[durations.length >> 1];
  const rows = [
    {
      clients: CLIENTS,
      requests: ok,
      failed,
      executed,
      twice,
      connects,
      moves: moves(),
      'by drains': moved,
      drains: drains.length,
      'drain ms, p50': middle,
      longest: durations.at(-1),
    },
  ];
  const targets = [
    promise('moves', 'at least', quick ? MOVES / 50 : MOVES, moves()),
    promise('failed', 'exactly', 0, failed),
    promise('executed twice', 'exactly', 0, twice),
    promise('TCP connects', 'exactly', CLIENTS, connects),
    promise('idle ones moved in the first sweep, %', 'at least', 95, (100 * moved) / idle),
    promise('drain of a worker, p50, ms', 'at most', 30, middle),
    promise('drains that took too long', 'exactly', 0, drains.filter(({ timedOut }) => timedOut).length),
  ];
  return { rows, targets };
}
