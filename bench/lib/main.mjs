/** Runs words one after the other and reports. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parse as parsePath, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeMachine, hasProgram } from './machine.mjs';
import { loopDelay } from './measure.mjs';
import { ms, printSuite, writeResult } from './report.mjs';
import { backendWithoutShaNi } from './sha-backend.mjs';
import { runSuite } from './suite.mjs';
import { loadSuites, WORDS } from './words.mjs';

/** Set in a process that already runs under the conditions its flags ask for. */
const READY = 'RUSTCLUSTER_BENCH_READY';

/**
 * @param {string[]} words none: all
 * @param {Record<string, string | boolean | undefined>} flags of the command line
 * @returns {Promise<number>} exit status: 1 when a case failed
 * @throws ERR_USAGE for a wrong command line
 */
export async function main(words, flags) {
  for (const word of words) oneOf('word', word, Object.keys(WORDS));
  if ((flags['no-sha-ni'] || flags['one-core']) && !process.env[READY]) return rerun(flags);
  const options = parse(flags);
  let failed = false;
  for (const word of words.length > 0 ? words : Object.keys(WORDS)) {
    const reports = await runWord(word, options);
    failed ||= reports.some((report) => report.cases.some((one) => one.failed));
  }
  return failed ? 1 : 0;
}

function parse(flags) {
  const quick = flags.quick === true;
  return {
    quick,
    rounds: positive('rounds', flags.rounds),
    size: positive('size', flags.size) ?? (quick ? 1 : 18),
    height: positive('height', flags.height),
    subsampling: oneOf('--subsampling', flags.subsampling ?? '420', ['420', '444']),
    photo: flags.photo && resolve(flags.photo),
    memory: flags['no-memory'] !== true,
    only: flags.only ?? '',
    node: flags.node === undefined ? process.execPath : resolve(flags.node),
    suffix: suffix(flags),
  };
}

/** What tells the result files of one word apart, so that a special run does not overwrite the usual one. */
function suffix(flags) {
  const set = ['no-sha-ni', 'one-core', 'quick'].filter((flag) => flags[flag]);
  const given = ['subsampling', 'size', 'height', 'only'].filter((flag) => flags[flag] !== undefined);
  const named = given.map((flag) => `${flag}-${flags[flag]}`);
  if (flags.node) named.push(`node-${nodeLine(flags.node)}`);
  if (flags.photo) named.push(`photo-${parsePath(flags.photo).name}`);
  return [...named, ...set];
}

/** @returns {string} 24 for a program that is Node 24 @throws ERR_USAGE for one that is none */
function nodeLine(program) {
  const { stdout, status } = spawnSync(program, ['-p', 'process.versions.node'], { encoding: 'utf8' });
  if (status !== 0) throw usageError(`--node must name a Node program, not "${program}"`);
  return stdout.split('.')[0];
}

const usageError = (message) => Object.assign(new RangeError(message), { code: 'ERR_USAGE' });

function positive(name, text) {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0)) throw usageError(`--${name} must be a positive number, not "${text}"`);
  return value;
}

function oneOf(name, value, known) {
  if (!known.includes(value)) throw usageError(`${name} must be one of ${known.join(', ')}, not "${value}"`);
  return value;
}

async function runWord(word, options) {
  const { rounds, run, suites } = await WORDS[word]();
  const settled = { ...options, rounds: Math.ceil(options.rounds ?? (options.quick ? 2 : rounds)) };
  const log = (line) => console.error(line);
  // How long this machine holds an idle loop: what the delays below are to be seen against.
  const machine = { ...describeMachine(), idleLoopDelay: await loopDelay(() => sleep(50), { atLeast: 1000 }) };
  const reports = [];
  if (run) reports.push(...(await run(settled, log)));
  for (const suite of suites ? await loadSuites(word, settled) : []) {
    if (!suite.name.includes(settled.only)) continue;
    const report = await runSuite(suite, { word, options: settled, log });
    printSuite(report);
    reports.push(report);
  }
  const name = [word, ...options.suffix].join('.');
  const path = writeResult(name, {
    schema: 1,
    word,
    date: new Date().toISOString(),
    machine,
    options: settled,
    reports,
  });
  const { p99, max } = machine.idleLoopDelay;
  console.log(
    `\n${machine.cpu}, ${machine.cores} cores, Node ${machine.node}; idle loop p99 ${ms(p99)} ms, max ${ms(max)} ms`,
  );
  console.log(`Written to ${relative(process.cwd(), path)}`);
  return reports;
}

/** Runs the same command line again on one core, or without the SHA extensions, or both. */
function rerun(flags) {
  const env = { ...process.env, [READY]: '1' };
  if (flags['no-sha-ni']) {
    // Bit 29 of the second word is SHA; OpenSSL reads this variable once, when the process starts.
    env.OPENSSL_ia32cap = ':~0x20000000';
    env.RUSTCLUSTER_SHA256 = backendWithoutShaNi();
    console.error(`Without SHA extensions: ours with RUSTCLUSTER_SHA256=${env.RUSTCLUSTER_SHA256}`);
  }
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  if (flags['one-core']) {
    if (!hasProgram('taskset')) throw new Error('--one-core needs the program taskset (util-linux)');
    command.unshift('taskset', '-c', firstCore());
  }
  const { status, error } = spawnSync(command[0], command.slice(1), { env, stdio: 'inherit' });
  if (error) throw error;
  return status ?? 1;
}

/** The first core this process may run on: in a container that need not be core 0. */
function firstCore() {
  return /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))[1];
}
