/** Twenty rolling reloads with every kind of client at work: nobody's request fails, none runs twice, nobody reconnects. */
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../lib/app.mjs';
import { begin, KINDS, lacks } from '../lib/clients.mjs';
import { readIds } from '../lib/ids.mjs';
import { copyOf, MANAGERS } from '../lib/managers.mjs';
import { promise } from '../lib/promise.mjs';

export const title = '20 rolling reloads under load, ours beside PM2 and node:cluster';
export const limit = 900;

/** Of each kind of client. */
const REQUESTS = 100_000;
/** How long the load may go on, with further reloads, until there were enough requests, in milliseconds. */
const LONGEST = 180_000;
/** When to count them for the first time, and how often after that, in milliseconds. */
const [SOONEST, PERIOD] = [90_000, 15_000];

export async function run({ log, quick, managers = Object.keys(MANAGERS) }) {
  const rows = [];
  for (const name of managers) {
    log(name);
    rows.push(...(await reloads(name, { log, quick, times: quick ? 3 : 20 })));
  }
  const ours = rows.filter((row) => row.manager === 'ours' && row.requests !== undefined);
  const targets = [
    ...ours.flatMap((row) => [
      promise(`${row.clients}: requests`, 'at least', quick ? 1 : REQUESTS, row.requests),
      promise(`${row.clients}: failed`, 'exactly', 0, row.failed),
      promise(`${row.clients}: executed twice`, 'exactly', 0, row.twice),
      promise(`${row.clients}: answered, not executed`, 'at most', 0, row.requests - row.executed),
      ...(row.wanted ? [promise(`${row.clients}: TCP connects`, 'exactly', row.wanted, row.connects)] : []),
    ]),
  ];
  for (const row of rows) delete row.wanted;
  return { rows, targets };
}

async function reloads(name, { log, quick, times }) {
  const folder = temporaryFolder();
  const app = await MANAGERS[name](copyOf('ids.js'), { LOG_FOLDER: folder });
  const able = Object.keys(KINDS).filter((kind) => lacks(KINDS[kind]) === undefined);
  const stops = {};
  let [seconds, again, next] = [0, 0, performance.now() + SOONEST];
  let tallies;
  try {
    for (const kind of able) stops[kind] = begin(kind, app.port);
    await sleep(500);
    const began = performance.now();
    for (let i = 0; i < times; i += 1) {
      await app.reload();
      log(`  reload ${i + 1}`);
    }
    seconds = (performance.now() - began) / 1000 / times;
    // The peers have had their reloads: their share of requests proves nothing.
    while (name === 'ours' && !quick && performance.now() - began < LONGEST) {
      await app.reload();
      again += 1;
      // Not often: reading them holds the clients up that run in this process.
      if (performance.now() < next) continue;
      next = performance.now() + PERIOD;
      const ids = readIds(folder);
      if (able.every((kind) => ids[kind]?.executed > REQUESTS * 1.02)) break;
    }
  } finally {
    const results = await Promise.all(able.map(async (kind) => [kind, await stops[kind]?.()]));
    tallies = Object.fromEntries(results);
    await app.stop();
  }
  const ids = readIds(folder);
  return Object.entries(KINDS).map(([kind, { clients, keeps }]) => {
    const row = { manager: name, clients: `${kind} (${clients})`, reloads: times + again };
    if (tallies[kind] === undefined) return { ...row, ' ': lacks(KINDS[kind]) };
    const { ok, failed } = tallies[kind];
    const { executed, twice, connects } = ids[kind];
    const what = { requests: ok, failed, executed, twice, connects, wanted: keeps ? clients : undefined };
    return { ...row, 's a reload': seconds, ...what, ' ': '' };
  });
}
