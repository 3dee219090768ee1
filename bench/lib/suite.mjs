/**
 * One comparison: cases that do the same work, checked to be right, then measured in turns.
 *
 * @typedef {object} Case
 * @property {string} name
 * @property {boolean} [ours] whether it is this package's; ratios are against the first that is
 * @property {string | false} [skip] why it cannot run here
 * @property {(inputs: any) => any} [setup] what it needs beside the inputs; may be async
 * @property {(inputs: any, state: any) => any} run the work; may be async
 * @property {(output: any, inputs: any, state: any) => any} check throws when the output is wrong; may answer a remark
 * @property {(inputs: any, state: any) => string[]} [program] in place of `run`'s timing: a command to time as a whole
 * @property {(state: any) => any} [teardown]
 * @property {number} [rounds] at most this many of the rounds
 * @property {boolean} [blocking] holds the event loop by nature
 *
 * @typedef {object} Suite
 * @property {string} name
 * @property {string} title
 * @property {() => any} inputs
 * @property {Case[]} cases
 * @property {number} [bytes] that one run works through, for a throughput
 * @property {{ ours: string, peer: string, metric: 'cpu' | 'wall', atMost?: number, speed?: number }[]} [targets]
 * @property {{ p99: number } | { max: number }} [loopLimit] milliseconds that our cases may hold the event loop
 * @property {{ peer: string, of: (output: any, state: any) => any }} [size] our output shall be no larger than the peer's
 * @property {{ ours: string, of: (inputs: any) => number }} [memoryLimit] bytes that a case of ours may take above Node
 * @property {string[]} [equal] cases of ours that must lose nothing: their remark begins with "equal"
 */
import os from 'node:os';
import { loopDelay, settle, timeCall, timeProgram } from './measure.mjs';
import { peakAboveNode } from './memory.mjs';
import { interleave, judge, ratio, summarize } from './stats.mjs';

const isOneCore = os.availableParallelism() === 1;

/** Milliseconds: how long a case is warmed up, and how long a sample takes at least, by running short work repeatedly. */
const [WARM_UP, SAMPLE] = [500, 50];

/**
 * Runs a suite.
 * @param {Suite} suite
 * @param {{ word: string, options: object, log: (line: string) => void }} context
 * @returns {Promise<object>} the report: plain data
 */
export async function runSuite(suite, { word, options, log }) {
  log(suite.title);
  const inputs = await suite.inputs();
  const rows = [];
  for (const one of suite.cases) rows.push(await prepare(suite, one, inputs, { quick: options.quick, log }));
  const able = rows.filter((row) => row.one);

  const plan = interleave(
    able.map((row) => ({ row, rounds: row.one.rounds })),
    options.rounds,
  );
  log(`  ${plan.length} rounds`);
  for (const list of plan) {
    for (const { row } of list) row.samples.push(await sample(row, inputs));
  }
  for (const row of able) {
    if (!row.one.program) {
      // What holds the loop by nature shows it at once; what must not do so is watched for longer.
      const atLeast = options.quick || row.one.blocking ? 100 : 500;
      row.loopDelay = await loopDelay(() => row.one.run(inputs, row.state), { atLeast });
    }
    await row.one.teardown?.(row.state);
  }
  if (options.memory) {
    log('  memory');
    for (const row of able) row.peakMemory = await peakAboveNode(word, suite.name, row.name, options);
  }
  return report(suite, rows, inputs);
}

/** Sets a case up and checks its first output, which also warms it up. */
async function prepare(suite, one, inputs, { quick, log }) {
  const row = { name: one.name, ours: one.ours === true, kind: one.program ? 'program' : 'call', samples: [] };
  if (one.skip) {
    log(`  ${one.name}: skipped, ${one.skip}`);
    return { ...row, skipped: one.skip };
  }
  let state;
  try {
    state = await one.setup?.(inputs);
    const output = await one.run(inputs, state);
    const remark = await one.check(output, inputs, state);
    log(`  ${one.name}: ${remark ?? 'right'}`);
    const repeat = one.program || quick ? 1 : await warmUp(() => one.run(inputs, state));
    return { ...row, one, state, remark, repeat, outputBytes: await suite.size?.of(output, state) };
  } catch (error) {
    // A program's own words say more than that it failed.
    const [reason] = (error.stderr?.trim() || error.message).split('\n');
    const failed = typeof error.code === 'string' ? `${error.code}: ${reason}` : reason;
    log(`  ${one.name}: FAILED, ${failed}`);
    if (state !== undefined) await one.teardown?.(state);
    return { ...row, failed };
  }
}

/** Runs until the compilers of JavaScript have settled. @returns {Promise<number>} how often to run for one sample */
async function warmUp(run) {
  const end = performance.now() + WARM_UP;
  let fastest = Number.POSITIVE_INFINITY;
  do fastest = Math.min(fastest, (await timeCall(run)).wall);
  while (performance.now() < end);
  return Math.max(1, Math.ceil(SAMPLE / fastest));
}

async function sample({ one, state, repeat }, inputs) {
  await settle();
  if (one.program) return timeProgram(one.program(inputs, state));
  const { wall, cpu } = await timeCall(async () => {
    for (let i = 0; i < repeat; i++) await one.run(inputs, state);
  });
  return { wall: wall / repeat, cpu: cpu / repeat };
}

function report(suite, rows, inputs) {
  for (const row of rows.filter((row) => row.samples.length > 0)) {
    row.cpu = summarize(row.samples.map((one) => one.cpu));
    row.wall = summarize(row.samples.map((one) => one.wall));
  }
  const ours = rows.find((row) => row.ours && row.cpu);
  const cases = rows.map(({ one, state, ...row }) =>
    ours && row.cpu
      ? { ...row, againstOurs: { cpu: ratio(row.cpu, ours.cpu), wall: ratio(row.wall, ours.wall) } }
      : row,
  );
  const { name, title, bytes } = suite;
  const targets = [
    judged(suite, cases),
    sizeJudged(suite, cases),
    loopJudged(suite, cases),
    memoryJudged(suite, cases, inputs),
    equalJudged(suite, cases),
  ].flat();
  return { name, title, bytes, cases, targets };
}

function judged({ targets = [] }, cases) {
  const find = (name) => cases.find((one) => one.name === name && one.cpu);
  return targets
    .flatMap((target) => withCpu(target))
    .map((target) => {
      const what = `${target.metric === 'cpu' ? 'CPU' : 'wall'} ${target.speed ? 'speed' : 'cost'}: ${target.ours} / ${target.peer}`;
      const [ours, peer] = [find(target.ours), find(target.peer)];
      return ours && peer
        ? { what, limit: target.speed ? 'at least' : 'at most', ...judge(target, ours, peer) }
        : { what, limit: target.speed ? 'at least' : 'at most', required: target.speed ?? target.atMost, ok: null };
    });
}

/**
 * On one core a speed is a matter of CPU time, which other programs disturb less than the clock on the wall: both are
 * judged.
 */
function withCpu(target) {
  return target.metric === 'wall' && target.speed && isOneCore ? [target, { ...target, metric: 'cpu' }] : [target];
}

function sizeJudged({ size }, cases) {
  const ours = cases.find((one) => one.ours && one.outputBytes);
  const peer = cases.find((one) => one.name === size?.peer && one.outputBytes);
  if (!ours || !peer) return [];
  const measured = ours.outputBytes / peer.outputBytes;
  return [{ what: `output: ${ours.name} / ${peer.name}`, limit: 'at most', required: 1, measured, ok: measured <= 1 }];
}

function loopJudged({ loopLimit }, cases) {
  if (loopLimit === undefined) return [];
  const [[measure, required]] = Object.entries(loopLimit);
  return cases
    .filter((one) => one.ours && one.loopDelay)
    .map(({ name, loopDelay }) => {
      const measured = loopDelay[measure];
      const what = `event loop held, ${measure}, ms: ${name}`;
      return { what, limit: 'at most', required, measured, ok: measured <= required };
    });
}

function memoryJudged({ memoryLimit }, cases, inputs) {
  const ours = cases.find((one) => one.name === memoryLimit?.ours && one.peakMemory !== undefined);
  if (ours === undefined) return [];
  const [measured, required] = [ours.peakMemory / 2 ** 20, memoryLimit.of(inputs) / 2 ** 20];
  return [{ what: `peak memory, MiB: ${ours.name}`, limit: 'at most', required, measured, ok: measured <= required }];
}

function equalJudged({ equal = [] }, cases) {
  const checked = cases.filter((one) => equal.includes(one.name) && one.remark);
  return checked.map(({ name, remark }) => ({ what: `loses nothing: ${name}`, ok: remark.startsWith('equal') }));
}
