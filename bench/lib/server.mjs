/** Servers under test: started on a free port of 127.0.0.1, awaited, and gone at the end whatever happens. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from './http.mjs';
import { ROOT } from './ours.mjs';
import { family, usage } from './processes.mjs';

const HOST = '127.0.0.1';
const START_LIMIT = 30_000;
const STOP_LIMIT = 10_000;

const started = new Set();
process.once('exit', () => {
  for (const server of started) server.kill();
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

/** @returns {Promise<number>} a port nobody listens on */
async function freePort() {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** One server: a process, and what descends from it. */
class Server {
  #child;
  #errors = '';

  constructor(command, env, port) {
    this.port = port;
    this.#child = spawn(command[0], command.slice(1), {
      cwd: ROOT,
      env: { ...process.env, ...env, PORT: String(port), HOST, LOG: 'off' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#errors = `${this.#errors}${text}`.slice(-2000);
    });
    this.#child.once('error', (error) => {
      this.#errors = error.message;
    });
    started.add(this);
  }

  get pid() {
    return this.#child.pid;
  }

  get hasEnded() {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** @returns {{ cpu: number, peak: number }} of all its processes so far */
  usage() {
    return usage(this.pid);
  }

  /** Waits until as many workers answer as there should be, or at least one does and the others had their time. */
  async ready(workers) {
    const pids = new Set();
    const end = performance.now() + START_LIMIT;
    let first = Number.POSITIVE_INFINITY;
    while (pids.size < workers && performance.now() < Math.min(end, first + 3000)) {
      if (this.hasEnded) throw new Error(`The server ended before it answered: ${this.#errors.trim()}`);
      const answers = await Promise.allSettled(Array.from({ length: 2 * workers }, () => request(this.port, '/')));
      for (const { value } of answers) if (value?.status === 200) pids.add(value.body.toString());
      if (pids.size > 0) first = Math.min(first, performance.now());
      await sleep(50);
    }
    if (pids.size === 0) throw new Error(`The server did not answer within ${START_LIMIT} ms: ${this.#errors.trim()}`);
    return this;
  }

  /** Ends it in order, and by force when that takes too long. */
  async stop() {
    const members = family(this.pid);
    if (!this.hasEnded) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await Promise.race([ended, sleep(STOP_LIMIT, undefined, { ref: false })]);
    }
    this.kill(members);
  }

  /** Ends it at once, with everything it has started. */
  kill(members = family(this.pid)) {
    started.delete(this);
    const alive = new Set(this.hasEnded ? [] : family(this.pid).map((one) => one.pid));
    if (!this.hasEnded) this.#child.kill('SIGKILL');
    for (const { pid } of members) {
      if (pid === this.pid || !alive.has(pid)) continue;
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
  }
}

/**
 * Starts a server and waits until it answers GET /.
 * @param {string[]} command its program and arguments; it reads PORT and HOST from the environment
 * @param {{ env?: object, workers?: number }} [options] how many different answers to GET / to wait for
 * @returns {Promise<Server>}
 */
export async function startServer(command, { env = {}, workers = 1 } = {}) {
  const server = new Server(command, env, await freePort());
  try {
    return await server.ready(workers);
  } catch (error) {
    server.kill();
    throw error;
  }
}
