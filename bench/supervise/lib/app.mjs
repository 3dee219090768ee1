/** Apps under `rustcluster start`, and all they start: gone at the end, whatever happens. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../lib/ours.mjs';
import { family } from '../../lib/processes.mjs';

const { ask } = createRequire(import.meta.url)(join(ROOT, 'js/supervise/client.js'));

const running = new Set();
const folders = [];
process.once('exit', () => {
  for (const app of running) app.kill();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

/** @returns {string} a folder that is gone at the end */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'rustcluster-chaos-'));
  folders.push(folder);
  return folder;
}

/** @returns {string} the path of an app in apps/ */
export const appFile = (name) => fileURLToPath(new URL(`../apps/${name}`, import.meta.url));

class App {
  #child;
  #control;
  output = '';

  constructor(file, args, env) {
    this.#control = join(temporaryFolder(), 'control.sock');
    const command = [join(ROOT, 'js/cli.js'), 'start', file, '--control', this.#control, ...args];
    this.#child = spawn(process.execPath, command, {
      env: { ...process.env, PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.output += text;
        this.#child.emit('output');
      });
    }
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      running.delete(this);
      this.#child.emit('output');
      return { code, signal, output: this.output };
    });
    running.add(this);
  }

  get pid() {
    return this.#child.pid;
  }

  get hasEnded() {
    return !running.has(this);
  }

  /** @returns {Promise<RegExpExecArray>} once the output has a match @throws when it ends before */
  async line(pattern) {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match) return match;
      if (this.hasEnded) throw new Error(`ended without ${pattern}:\n${this.output}`);
      await once(this.#child, 'output');
    }
  }

  /** Asks over the control socket, see docs/supervise.md. */
  ask(method, params, onProgress) {
    return ask(this.#control, method, params, { onProgress });
  }

  /** @returns {Promise<object[]>} the workers that serve */
  async workers() {
    const { list } = await this.ask('status');
    return list.filter(({ role, state }) => role === 'active' && state === 'ready');
  }

  signal(name) {
    this.#child.kill(name);
  }

  /** Ends it in order. */
  async stop() {
    if (!this.hasEnded) this.#child.kill('SIGTERM');
    await this.ended;
  }

  /** SIGKILL to it and to all that descends from it. */
  kill() {
    const members = this.hasEnded ? [] : family(this.pid);
    this.#child.kill('SIGKILL');
    for (const { pid } of members) killOne(pid);
  }
}

function killOne(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/**
 * Starts an app in workers.
 * @param {string} file
 * @param {string[]} [args] of `rustcluster start`
 * @param {object} [env]
 * @returns {Promise<App & { port: number }>} once its workers are ready
 */
export async function startApp(file, args = [], env = {}) {
  const app = new App(file, args, env);
  const [, port] = await app.line(/ready, pid \d+, http:\/\/[^:]+:(\d+)/);
  return Object.assign(app, { port: Number(port) });
}

/** The same without waiting, for an app that cannot start. */
export const launchApp = (file, args = [], env = {}) => new App(file, args, env);

/** Ends what a scenario has left. */
export async function killAll() {
  for (const app of running) app.kill();
  const all = Promise.all([...running].map(({ ended }) => ended));
  await Promise.race([all, sleep(5000, undefined, { ref: false })]);
}
