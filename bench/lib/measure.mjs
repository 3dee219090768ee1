/** Clocks: what one call of this process costs, and what one run of another program costs. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

/** Collects what the case before has left behind, so that it is not charged to the next one. */
export async function settle() {
  gc();
  await sleep(10);
}

/**
 * Times one call.
 * @template T
 * @param {() => T | Promise<T>} call
 * @returns {Promise<{ wall: number, cpu: number, output: T }>} milliseconds; cpu is of all threads of the process
 */
export async function timeCall(call) {
  const cpuBefore = process.cpuUsage();
  const before = performance.now();
  const output = await call();
  const wall = performance.now() - before;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { wall, cpu: (user + system) / 1000, output };
}

/**
 * Times another program from its start to its end. bash reads the kernel's account of the child (getrusage), to the
 * millisecond: Node itself has no call for it.
 * @param {string[]} command program and arguments
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<{ wall: number, cpu: number }>} milliseconds
 * @throws {Error} when the program cannot be started or fails
 */
export async function timeProgram(command, env = process.env) {
  const script = 'TIMEFORMAT="%3R %3U %3S"; { time "$@" 2>&3; } 3>&2';
  const before = performance.now();
  const { stderr } = await collect(spawn('bash', ['-c', script, 'bash', ...command], { env }), command);
  const wall = performance.now() - before;
  const [, user, system] = stderr.trim().split('\n').at(-1).split(' ').map(Number);
  return { wall, cpu: (user + system) * 1000 };
}

/**
 * The peak of another program's resident memory, by looking at it every millisecond or so.
 * @param {string[]} command
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<number | undefined>} bytes; undefined where there is no /proc
 */
export async function peakOfProgram(command, env = process.env) {
  const child = spawn(command[0], command.slice(1), { env });
  let peak;
  const timer = setInterval(() => {
    peak = residentMemory(child.pid)?.peak ?? peak;
  }, 1);
  try {
    await collect(child, command);
  } finally {
    clearInterval(timer);
  }
  return peak;
}

/**
 * Resident memory of a process now and at its peak.
 * @param {number | 'self'} pid
 * @returns {{ now: number, peak: number } | undefined} bytes; undefined when it has ended or there is no /proc
 */
export function residentMemory(pid) {
  let status;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return undefined;
  }
  const field = (name) => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN);
  const memory = { now: field('VmRSS'), peak: field('VmHWM') };
  return Number.isNaN(memory.peak) ? undefined : memory;
}

/**
 * How long the event loop was held while `call` ran, repeated until there is enough to see.
 * @param {() => unknown} call
 * @param {{ atLeast?: number }} [options] milliseconds to go on for
 * @returns {Promise<{ p99: number, max: number }>} milliseconds over the sampling interval of 1 ms
 */
export async function loopDelay(call, { atLeast = 300 } = {}) {
  await settle();
  const resolution = 1;
  const histogram = monitorEventLoopDelay({ resolution });
  histogram.enable();
  // The histogram notes a tick only after it has seen one: let it see some before the work begins.
  await sleep(5);
  histogram.reset();
  await sleep(5);
  const end = performance.now() + atLeast;
  do {
    await call();
    // Work that never leaves the microtask queue holds the loop to its end; two such calls must not count as one.
    await sleep(2);
  } while (performance.now() < end);
  histogram.disable();
  const over = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - resolution);
  return { p99: over(histogram.percentile(99)), max: over(histogram.max) };
}

/** Waits for a child process and what it writes. */
async function collect(child, command) {
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (chunk) => {
      text[name] += chunk;
    });
  }
  const [code, signal] = await new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (...end) => resolve(end));
  });
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${signal ?? code}: ${text.stderr.trim()}`);
  return text;
}
