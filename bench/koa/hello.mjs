/** 200 connections for ten seconds on the article's hello-world with its loop. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import autocannon from 'autocannon';
import { cli, lacksCli, ROOT } from '../lib/ours.mjs';
import { printRows } from '../lib/report.mjs';
import { startServer } from '../lib/server.mjs';
import { interleave, summarize } from '../lib/stats.mjs';

const FIXTURES = join(ROOT, 'bench/fixtures');
const MOST_ROUNDS = 3;

/** @param {object} options @param {(line: string) => void} log @returns {Promise<object>} the report */
export async function runHello({ quick, rounds }, log) {
  const [connections, duration] = quick ? [20, 2] : [200, 10];
  const title = `Hello world behind a loop of 1e7 turns: ${connections} connections for ${duration} s`;
  log(title);
  const cases = servers().map((one) => ({ ...one, runs: [] }));
  for (const list of interleave(cases, Math.min(rounds, MOST_ROUNDS))) {
    for (const one of list.filter(({ skipped, failed }) => !skipped && !failed)) {
      await load(one, { connections, duration }, log);
    }
  }
  const report = { name: 'hello', title, cases: cases.map(summary), targets: [] };
  print(report);
  return report;
}

function servers() {
  const hello = join(FIXTURES, 'hello.mjs');
  const all = availableParallelism();
  const node = process.execPath;
  return [
    { name: 'rustcluster', ours: true, command: cli('start', hello), workers: all, skipped: lacksCli() },
    { name: 'node:cluster', command: [node, join(FIXTURES, 'hello-cluster.mjs')], workers: all },
    { name: 'one process', command: [node, hello], workers: 1 },
  ];
}

async function load(one, how, log) {
  let server;
  try {
    server = await startServer(one.command, { workers: one.workers });
    const before = server.usage();
    const result = await autocannon({ url: `http://127.0.0.1:${server.port}/`, ...how });
    const { cpu, peak } = server.usage();
    one.runs.push({
      requests: result.requests.average,
      answers: result['2xx'],
      ...{ p50: result.latency.p50, p99: result.latency.p99, max: result.latency.max },
      // autocannon counts a timeout as an error too; it gives up a request after 10 s and connects anew.
      timeouts: result.timeouts,
      failed: result.errors - result.timeouts + result.non2xx,
      cpu: cpu - before.cpu,
      peak,
    });
    log(`  ${one.name}: ${result.requests.average} requests a second`);
  } catch (error) {
    one.failed = error.message;
    log(`  ${one.name}: FAILED, ${error.message}`);
  } finally {
    await server?.stop();
  }
}

function summary({ command, workers, runs, ...one }) {
  if (runs.length === 0) return one;
  const sum = (name) => runs.reduce((total, run) => total + run[name], 0);
  const names = ['requests', 'p50', 'p99', 'max', 'cpu', 'peak'];
  const over = Object.fromEntries(names.map((name) => [name, summarize(runs.map((run) => run[name]))]));
  return { ...one, runs, ...over, timeouts: sum('timeouts'), failedRequests: sum('failed') };
}

function print({ title, cases }) {
  const ours = cases.find((one) => one.ours)?.requests?.median;
  const rows = cases.map((one) => ({
    '': one.ours ? `* ${one.name}` : one.name,
    'requests/s': one.requests?.median,
    'ours x': one.requests && ours && ours / one.requests.median,
    'p50 ms': one.p50?.median,
    'p99 ms': one.p99?.median,
    'max ms': one.max?.median,
    'CPU ms': one.cpu?.median,
    'peak MiB': one.peak && one.peak.median / 2 ** 20,
    'timed out': one.timeouts,
    failed: one.failedRequests,
    ' ': one.skipped ? `skipped: ${one.skipped}` : one.failed ? `FAILED: ${one.failed}` : undefined,
  }));
  printRows(title, rows);
}
