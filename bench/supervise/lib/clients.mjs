/** The clients of a reload, each kind with ids of its own on its requests, at work until told to stop. */
import { spawn } from 'node:child_process';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { hasProgram } from '../../lib/machine.mjs';

const LUA = fileURLToPath(new URL('./ids.lua', import.meta.url));
/** Requests a second at most, of each kind but the one that idles: together they leave some processor to the app. */
const RATE = 1500;
/** Longer than any scenario: they are stopped. In seconds. */
const FOREVER = 600;

/**
 * name -> the number of clients, whether each keeps one connection, and what begins it.
 * @type {Record<string, { clients: number, keeps: boolean, needs?: string, begin: Function }>}
 */
export const KINDS = {
  'autocannon-keep': { clients: 8, keeps: true, begin: cannon },
  'autocannon-close': { clients: 12, keeps: false, begin: cannon },
  'wrk-keep': { clients: 8, keeps: true, needs: 'wrk', begin: wrk },
  'wrk-close': { clients: 4, keeps: false, needs: 'wrk', begin: wrk },
  // So many that they, too, make a hundred thousand requests in less than two minutes.
  idle: { clients: 640, keeps: true, begin: idlers },
};

/** @returns {string | undefined} why a kind of client cannot run here */
export const lacks = ({ needs }) => (needs && !hasProgram(needs) ? `no program ${needs} here` : undefined);

/**
 * @param {string} kind of KINDS
 * @param {number} port on 127.0.0.1
 * @returns {() => Promise<{ ok: number, failed: number }>} stops them
 */
export function begin(kind, port) {
  const { clients, keeps, begin: start } = KINDS[kind];
  return start({ kind, port, clients, keeps });
}

function cannon({ kind, port, clients, keeps }) {
  let count = 0;
  const running = autocannon({
    url: `http://127.0.0.1:${port}`,
    connections: clients,
    overallRate: RATE,
    duration: FOREVER,
    headers: keeps ? {} : { connection: 'close' },
    requests: [
      {
        setupRequest: (request) => {
          count += 1;
          return { ...request, path: `/?${kind}.${count}` };
        },
      },
    ],
  });
  return async () => {
    running.stop();
    const { '2xx': ok, non2xx, errors, timeouts } = await running;
    return { ok, failed: non2xx + errors + timeouts };
  };
}

function wrk({ kind, port, clients, keeps }) {
  const header = keeps ? [] : ['-H', 'Connection: close'];
  const url = `http://127.0.0.1:${port}/`;
  const args = [
    '-t1',
    `-c${clients}`,
    `-d${FOREVER}s`,
    ...header,
    '-s',
    LUA,
    url,
    '--',
    kind,
    String((clients * 1000) / RATE),
  ];
  const child = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  return async () => {
    // It sums up when it is interrupted.
    child.kill('SIGINT');
    await ended;
    process.removeListener('exit', kill);
    const numbers = /connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? [];
    const non2xx = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
    const failed = numbers.reduce((sum, number) => sum + Number(number), non2xx);
    return { ok: Number(/(\d+) requests in/.exec(text)?.[1]), failed };
  };
}

/** Clients that pause for 50 to 1,000 ms between two requests on a connection they keep. */
export function idlers({ kind, port, clients, pause = [50, 1000] }) {
  const tally = { ok: 0, failed: 0, errors: {} };
  let running = true;
  let count = 0;
  const [shortest, longest] = pause;
  const client = async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    while (running) {
      count += 1;
      try {
        await get(port, `/?${kind}.${count}`, agent);
        tally.ok += 1;
      } catch (error) {
        tally.failed += 1;
        tally.errors[error.code] = (tally.errors[error.code] ?? 0) + 1;
      }
      await sleep(shortest + Math.random() * (longest - shortest));
    }
    agent.destroy();
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  return async () => {
    running = false;
    await all;
    return tally;
  };
}

function get(port, path, agent) {
  return new Promise((resolve, reject) => {
    const outgoing = http.get({ host: '127.0.0.1', port, path, agent, timeout: 10_000 });
    outgoing.once('timeout', () => outgoing.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
    outgoing.once('error', reject);
    outgoing.once('response', (response) => {
      response.once('error', reject);
      response.resume().once('end', resolve);
    });
  });
}
