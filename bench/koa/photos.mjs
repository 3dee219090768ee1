/** Ten concurrent POST /flip, and how the same server serves its other visitors meanwhile. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { request } from '../lib/http.mjs';
import { cli, lacksCli, ROOT } from '../lib/ours.mjs';
import { comparePixels, decodeFlipped, describePhoto, photo } from '../lib/photo.mjs';
import { startProbe } from '../lib/probe.mjs';
import { printRows, printTargets } from '../lib/report.mjs';
import { startServer } from '../lib/server.mjs';
import { interleave, median, quantile, summarize } from '../lib/stats.mjs';

const POSTS = 10;
/** Milliseconds for one answer: Jimp takes a minute for ten photos on one core. */
const LIMIT = 600_000;
/** In dB: it shows that an answer is the flipped photo. */
const LEAST = 25;
const EXAMPLE = join(ROOT, 'examples/koa/app.js');
const FIXTURE = join(ROOT, 'bench/fixtures/koa-flip.mjs');

/** @param {object} options @param {(line: string) => void} log @returns {Promise<object>} the report */
export async function runPhotos(options, log) {
  const title = `${POSTS} concurrent POST /flip of ${describePhoto(options)}; meanwhile GET / every 10 ms`;
  log(title);
  const { bytes } = await photo(options);
  const expected = await decodeFlipped(bytes);
  const cases = servers().map((one) => ({ ...one, bursts: [], gets: [], failedGets: 0 }));
  for (const one of cases.filter(({ skipped }) => skipped)) log(`  ${one.name}: skipped, ${one.skipped}`);
  for (const list of interleave(cases, options.rounds)) {
    for (const one of list.filter(({ skipped, failed }) => !skipped && !failed)) await visit(one, bytes, expected, log);
  }
  const report = { name: 'photos', title, cases: cases.map(summary) };
  report.targets = targets(report.cases);
  print(report);
  return report;
}

/** Every flip on one process and on all cores. */
function servers() {
  const noExample = !existsSync(EXAMPLE) && 'this version has no examples/koa';
  return ['rustcluster', 'sharp', 'Jimp'].flatMap((flip) => {
    const ours = flip === 'rustcluster';
    const app = ours ? EXAMPLE : FIXTURE;
    const shared = { flip, ours, env: ours ? {} : { BENCH_FLIP: flip }, rounds: flip === 'Jimp' ? 1 : undefined };
    return [
      {
        ...shared,
        name: `${flip}, standard`,
        mode: 'standard',
        command: [process.execPath, app],
        workers: 1,
        skipped: noExample,
      },
      {
        ...shared,
        name: `${flip}, clustered`,
        mode: 'clustered',
        command: cli('start', app),
        workers: availableParallelism(),
        skipped: noExample || lacksCli(),
      },
    ];
  });
}

/** Starts a server, warms it up, checks it, lets ten photos come at once, and ends it. */
async function visit(one, bytes, expected, log) {
  let server;
  try {
    server = await startServer(one.command, { env: one.env, workers: one.workers });
    const post = () => request(server.port, '/flip', { body: bytes, timeout: LIMIT });
    const warm = await Promise.all(Array.from({ length: one.workers }, post));
    one.remark ??= await checkAnswer(warm[0], expected);
    const before = server.usage();
    const probe = await startProbe(server.port);
    const burst = await timeBurst(post);
    const { delays, failed } = await probe.stop();
    const after = server.usage();
    one.bursts.push({ ...burst, cpu: after.cpu - before.cpu, peak: after.peak });
    one.gets.push(...delays);
    one.failedGets += failed;
    log(`  ${one.name}: last answer after ${burst.last.toFixed(0)} ms`);
  } catch (error) {
    one.failed = error.message;
    log(`  ${one.name}: FAILED, ${error.message}`);
  } finally {
    await server?.stop();
  }
}

async function checkAnswer({ status, body }, expected) {
  if (status !== 200) throw new Error(`POST /flip answered ${status}: ${body.toString('utf8', 0, 200)}`);
  return comparePixels(body, expected, LEAST);
}

async function timeBurst(post) {
  const start = performance.now();
  const ends = await Promise.all(
    Array.from({ length: POSTS }, async () => {
      const { status } = await post();
      if (status !== 200) throw new Error(`POST /flip answered ${status}`);
      return performance.now() - start;
    }),
  );
  return { first: Math.min(...ends), last: Math.max(...ends) };
}

function summary({ command, env, workers, rounds, bursts, gets, ...one }) {
  if (bursts.length === 0) return one;
  const over = (name) => summarize(bursts.map((burst) => burst[name]));
  const get = { count: gets.length, p50: median(gets), p99: quantile(gets, 0.99), max: quantile(gets, 1) };
  return { ...one, bursts, first: over('first'), last: over('last'), cpu: over('cpu'), peak: over('peak'), get };
}

function targets(cases) {
  const find = (flip, mode) => cases.find((one) => one.flip === flip && one.mode === mode && one.last);
  const judged = (what, measured, required) => ({
    ...{ what, limit: 'at most', required, measured },
    ok: measured === undefined ? null : measured <= required,
  });
  return ['standard', 'clustered'].flatMap((mode) => {
    const ours = find('rustcluster', mode);
    const share = (peer) => ours && find(peer, mode) && ours.last.median / find(peer, mode).last.median;
    return [
      judged(`GET / meanwhile, p99, ms: ${mode}`, ours?.get.p99, 50),
      judged(`time to last answer: rustcluster / sharp, ${mode}`, share('sharp'), 1 / 6),
      judged(`time to last answer: rustcluster / Jimp, ${mode}`, share('Jimp'), 1 / 100),
    ];
  });
}

function print({ title, cases, targets: judged }) {
  const rows = cases.map((one) => ({
    '': one.ours ? `* ${one.name}` : one.name,
    'first answer ms': one.first?.median,
    'last answer ms': one.last?.median,
    min: one.last?.min,
    'CPU ms': one.cpu?.median,
    'peak MiB': one.peak && one.peak.median / 2 ** 20,
    'GET / p50': one.get?.p50,
    p99: one.get?.p99,
    max: one.get?.max,
    failed: one.failedGets,
    ' ': one.skipped ? `skipped: ${one.skipped}` : one.failed ? `FAILED: ${one.failed}` : one.remark,
  }));
  printRows(title, rows);
  printTargets(judged);
}
