/** As many requests as the machine takes: requests a second, and the CPU time of all server processes for each. */
import { availableParallelism } from 'node:os';
import autocannon from 'autocannon';
import { family } from '../lib/processes.mjs';
import { printRows, printTargets } from '../lib/report.mjs';
import { httpLoad } from './client.mjs';
import { label, measureRounds, middle, modes, remark, target, times } from './servers.mjs';

const CONNECTIONS = 32;
/** Windows a round: short ones, so that those of one round meet the machine in the same spell. */
const WINDOWS = 2;

/** @param {'close' | 'keep-alive'} kind whether each request has a connection of its own */
export async function runLoad(kind, { node, quick, rounds }, log) {
  const seconds = 1;
  const program = httpLoad();
  const client = program ? light(program) : cannon;
  const title = `${CONNECTIONS} clients (${client.name}) for one second at a time, Connection: ${kind}`;
  log(title);
  const cases = modes(node);
  const windows = quick ? rounds : rounds * WINDOWS;
  const warm = new Set();
  await measureRounds(cases, { workers: availableParallelism(), rounds: windows }, async (one, server) => {
    if (!warm.has(one)) await client(server.port, kind, 1);
    warm.add(one);
    return measure(one, server, kind, seconds, client, log);
  });
  const report = { name: kind, title, cases, targets: targets(kind, cases) };
  print(report);
  return report;
}

async function measure(one, server, kind, seconds, client, log) {
  const before = cpu(server.pid);
  const { requests, client: asking } = await client(server.port, kind, seconds);
  const after = cpu(server.pid);
  const each = (name) => ((after[name] - before[name]) * 1000) / requests;
  const run = { rate: requests / seconds, all: each('all'), primary: each('primary'), asking };
  log(
    `  ${one.mode}: ${Math.round(run.rate)} a second, ${run.all.toFixed(1)} us each, its client ${asking?.toFixed(1)}`,
  );
  return run;
}

/** CPU time so far in milliseconds: of all processes of a server, and of its primary. */
function cpu(pid) {
  const members = family(pid);
  const sum = members.reduce((total, one) => total + one.cpu, 0);
  return { all: sum, primary: members.find((one) => one.pid === pid).cpu };
}

const light = (program) =>
  async function httpLoad(port, kind, seconds) {
    const [requests, client] = await program(kind, port, CONNECTIONS, seconds);
    return { requests, client: client / requests };
  };

async function cannon(port, kind, duration) {
  const headers = kind === 'close' ? { connection: 'close' } : {};
  const result = await autocannon({ url: `http://127.0.0.1:${port}/`, connections: CONNECTIONS, duration, headers });
  if (result.errors > 0 || result.non2xx > 0) throw new Error(`autocannon: ${result.errors} errors`);
  return { requests: result['2xx'] };
}

function targets(kind, cases) {
  const [ours, stock, none, ...others] = cases;
  if (kind === 'keep-alive') {
    const peers = [stock, none, ...others].filter(({ runs }) => runs.length > 0);
    const least = Math.min(...peers.map((one) => times(ours, one, 'rate')));
    return [target('requests a second against the best peer', 'at least', 0.95, least)];
  }
  return [
    target('CPU against stock round robin', 'at most', 0.5, times(ours, stock, 'all')),
    target('CPU against SCHED_NONE', 'at most', 1.15, times(ours, none, 'all')),
    target("the primary's part, us", 'at most', 15, middle(ours, 'primary')),
    target('requests a second against stock round robin', 'at least', 1.8, times(ours, stock, 'rate')),
  ];
}

function print({ title, cases, targets: judged }) {
  const [ours] = cases;
  const rows = cases.map((one) => ({
    '': label(one),
    'requests/s': one.runs.length > 0 ? Math.round(middle(one, 'rate')) : undefined,
    'ours x': one.runs.length > 0 ? times(ours, one, 'rate') : undefined,
    'ours x CPU': one.runs.length > 0 ? times(ours, one, 'all') : undefined,
    'CPU us each': middle(one, 'all'),
    'of that the primary': middle(one, 'primary'),
    'its client': middle(one, 'asking'),
    ' ': remark(one),
  }));
  printRows(title, rows);
  printTargets(judged);
}
