/** What one call costs, awaited before the next, and what 100 at a time cost. */
import { performance } from 'node:perf_hooks';
import { target } from '../dispatch/servers.mjs';
import { ours } from '../lib/ours.mjs';
import { usage } from '../lib/processes.mjs';
import { printRows, printTargets } from '../lib/report.mjs';
import { interleave, median } from '../lib/stats.mjs';
import { lacksRedis, startRedis } from './redis.mjs';

const TEXT = 'x'.repeat(100);
const SESSION = {
  cookie: { originalMaxAge: 3_600_000, path: '/' },
  user: { id: 42, name: 'Ada', roles: ['admin', 'author'] },
};

export async function runOne({ quick, rounds }, log) {
  const title = 'One call on this machine: microseconds, the other process included in CPU';
  log(title);
  const store = ours.openStore('bench');
  const reason = lacksRedis();
  const server = reason ? undefined : await startRedis();
  const redis = server && new (await import('ioredis')).Redis({ host: '127.0.0.1', port: server.port });
  try {
    await store.clear();
    await store.setMany({ text: TEXT, session: SESSION });
    await redis?.mset('text', TEXT, 'session', JSON.stringify(SESSION));
    const cases = list(store, redis).filter(({ run }) => run !== undefined);
    for (const one of cases) await check(one);
    for (const order of interleave(cases, quick ? 2 : rounds)) {
      for (const one of order) one.samples.push(await sample(one, quick ? 20 : 1, server));
    }
    const rows = cases.map(({ name, isOurs, samples }) => ({
      '': isOurs ? `* ${name}` : name,
      'wall us': middle(samples, 'wall'),
      'CPU us': middle(samples, 'cpu'),
    }));
    printRows(title, rows);
    const targets = judge(cases);
    printTargets(targets);
    if (reason) log(`  Redis left out: ${reason}`);
    return { name: 'one', title, cases: cases.map(({ name, samples }) => ({ name, samples })), targets };
  } finally {
    redis?.disconnect();
    await server?.stop();
    await store.close();
  }
}

/** Each with a peer that does the same; `want` is what every call must answer. */
function list(store, redis) {
  const one = (name, count, run, want) => ({
    name,
    count,
    run,
    want,
    isOurs: run && !name.includes('redis'),
    samples: [],
  });
  const parsed = async () => JSON.parse(await redis.get('session'));
  return [
    one('getSync, 100 characters', 50_000, () => store.getSync('text'), TEXT),
    one('get, 100 characters', 50_000, () => store.get('text'), TEXT),
    one('redis get, 100 characters', 2_000, redis && (() => redis.get('text')), TEXT),
    one('getSync, a session', 20_000, () => store.getSync('session'), SESSION),
    one('redis get + JSON.parse, a session', 2_000, redis && parsed, SESSION),
    one('set, 100 characters', 5_000, () => store.set('mine', TEXT)),
    one('redis set, 100 characters', 2_000, redis && (() => redis.set('mine', TEXT))),
    one('incr', 5_000, () => store.incr('count')),
    one('redis incr', 2_000, redis && (() => redis.incr('count'))),
    one(
      'incr, 100 at once',
      20,
      hundred(() => store.incr('count')),
    ),
    one('redis incr, 100 at once', 20, redis && hundred(() => redis.incr('count'))),
  ];
}

const hundred = (call) => () => Promise.all(Array.from({ length: 100 }, call));

async function check({ name, run, want }) {
  const got = await run();
  if (want !== undefined && JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`${name} answered ${got}`);
}

async function sample({ count, run, name }, share, server) {
  const calls = Math.ceil(count / share);
  // The kernel counts another process in steps of 10 ms: enough of them are made to see it.
  const [before, own] = [server ? usage(server.pid).cpu : 0, process.cpuUsage()];
  const begin = performance.now();
  for (let i = 0; i < calls; i++) await run();
  const wall = performance.now() - begin;
  const { user, system } = process.cpuUsage(own);
  const other = name.includes('redis') ? usage(server.pid).cpu - before : 0;
  return { wall: (wall * 1000) / calls, cpu: (user + system + other * 1000) / calls };
}

const middle = (samples, what) => median(samples.map((one) => one[what]));

function judge(cases) {
  const of = (name, what) => {
    const found = cases.find((one) => one.name === name);
    return found && middle(found.samples, what);
  };
  const pairs = [
    ['getSync, 100 characters', 'redis get, 100 characters', 20],
    ['get, 100 characters', 'redis get, 100 characters', 20],
    ['getSync, a session', 'redis get + JSON.parse, a session', 20],
    ['incr', 'redis incr', 2],
  ];
  // CPU first: on a busy machine the clock on the wall tells of the neighbours.
  return ['cpu', 'wall'].flatMap((what) =>
    pairs.map(([mine, theirs, required]) => {
      const name = `${mine}: Redis costs how many times as much ${what === 'cpu' ? 'CPU' : 'wall time'}`;
      return target(name, 'at least', required, of(theirs, what) / of(mine, what));
    }),
  );
}
