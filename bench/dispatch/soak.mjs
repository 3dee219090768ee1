/** Whether anything is left behind by 200,000 short connections: descriptors, memory, counts. */
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import { request } from '../lib/http.mjs';
import { residentMemory } from '../lib/measure.mjs';
import { printRows, printTargets } from '../lib/report.mjs';
import { httpLoad } from './client.mjs';
import { modes, start, target } from './servers.mjs';

const CONNECTIONS = 200_000;
const CLIENTS = 32;
const MIB = 2 ** 20;

export async function runSoak({ node, quick }, log) {
  const count = quick ? CONNECTIONS / 20 : CONNECTIONS;
  const title = `What ${count} short connections leave behind`;
  log(title);
  const program = httpLoad();
  const cases = modes(node).filter(({ mode }) => mode === 'rustcluster' || mode === 'rr');
  for (const one of cases) one.runs.push(...(await measure(one, program, count, log)));
  const [ours] = cases;
  const most = (name) => Math.max(...ours.runs.map((run) => run[name]));
  const targets = [
    target('descriptors more, of any process', 'at most', 0, most('descriptors')),
    target('connections still counted, of any worker', 'at most', 0, most('counted')),
    target('heap more, of any worker, MiB', 'at most', 1, most('heap')),
    target('resident memory more, of any process, MiB', 'at most', 8, most('resident')),
  ];
  const rows = cases.flatMap((one) =>
    one.runs.map(({ role, descriptors, counted, heap, resident, residentEnd }) => ({
      '': `${one.ours ? '* ' : ''}${one.name}, ${role}`,
      'descriptors more': descriptors,
      'still counted': counted,
      'heap more, MiB': heap,
      'resident more, MiB': resident,
      'resident, MiB': residentEnd,
    })),
  );
  printRows(title, rows);
  printTargets(targets);
  return { name: 'soak', title, cases, targets };
}

/** @returns {Promise<object[]>} what each process of a server holds more at the end than at the beginning */
async function measure(one, program, count, log) {
  const workers = availableParallelism();
  const server = await start(one, workers, { flags: ['--expose-gc'] });
  try {
    // Half as many first: a Node that has just started grows by itself, until its heap has found its size.
    await short(program, server.port, count / 2);
    const before = await look(server, workers);
    await short(program, server.port, count);
    const after = await look(server, workers);
    log(`  ${one.mode}: ${after.map(({ rss }) => (rss / MIB).toFixed(1)).join(', ')} MiB`);
    return after.map((now, i) => ({
      role: now.role,
      descriptors: now.descriptors - before[i].descriptors,
      counted: now.counted,
      heap: (now.heapUsed - before[i].heapUsed) / MIB,
      resident: (now.rss - before[i].rss) / MIB,
      residentEnd: now.rss / MIB,
    }));
  } finally {
    await server.stop();
  }
}

/** What each process holds, the primary first. Each worker says so itself: those asked are as many as it takes. */
async function look(server, workers) {
  // Clients of the load are gone, and the server has heard of it.
  await sleep(500);
  const told = new Map();
  for (let i = 0; told.size < workers; i++) {
    if (i > 100 * workers) throw new Error(`only ${told.size} of ${workers} workers answer`);
    const { body } = await request(server.port, '/load');
    const load = JSON.parse(body);
    told.set(load.pid, load);
  }
  // Nor are those of the questions open any more.
  await sleep(500);
  const descriptors = (pid) => readdirSync(`/proc/${pid}/fd`).length;
  const list = [...told.values()].sort((a, b) => a.pid - b.pid);
  // Its question's connection was open when each told what is.
  const each = list.map((load, i) => ({
    role: `worker ${i + 1}`,
    heapUsed: load.heapUsed,
    rss: load.rss,
    descriptors: descriptors(load.pid),
    counted: (load.open?.active ?? 1) - 1,
  }));
  const { now: rss } = residentMemory(server.pid);
  return [{ role: 'primary', heapUsed: 0, rss, descriptors: descriptors(server.pid), counted: 0 }, ...each];
}

/** Makes at least so many connections of one request each. */
async function short(program, port, count) {
  if (!program) {
    await autocannon({
      url: `http://127.0.0.1:${port}/`,
      connections: CLIENTS,
      amount: count,
      headers: { connection: 'close' },
    });
    return;
  }
  for (let made = 0; made < count; ) {
    const [answers] = await program('close', port, CLIENTS, 2);
    made += answers;
  }
}
