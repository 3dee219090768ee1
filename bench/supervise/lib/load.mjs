/** Clients: requests without a pause, or with one, until told to stop; every failure is counted and named. */
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @param {number} port
 * @param {{ clients?: number, kind?: 'close' | 'keep-alive' | 'idle', path?: string }} [options] `idle`: keep-alive,
 *   with a pause of 50 to 1,000 ms between two requests
 * @returns {() => Promise<{ ok: number, failed: number, errors: object, connects: number, slowest: number }>} stops it
 */
export function load(port, { clients = 8, kind = 'close', path = '/' } = {}) {
  const tally = { ok: 0, failed: 0, errors: {}, connects: 0, slowest: 0 };
  let running = true;
  const client = async () => {
    const agent = kind === 'close' ? undefined : new http.Agent({ keepAlive: true, maxSockets: 1 });
    while (running) {
      const began = performance.now();
      try {
        await request(port, path, agent, tally);
        tally.ok += 1;
      } catch (error) {
        tally.failed += 1;
        tally.errors[error.code ?? error.message] = (tally.errors[error.code ?? error.message] ?? 0) + 1;
      }
      tally.slowest = Math.max(tally.slowest, performance.now() - began);
      if (kind === 'idle') await sleep(50 + Math.random() * 950);
    }
    agent?.destroy();
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  return async () => {
    running = false;
    await all;
    return tally;
  };
}

function request(port, path, agent, tally) {
  return new Promise((resolve, reject) => {
    const outgoing = http.get({ host: '127.0.0.1', port, path, agent: agent ?? false, timeout: 10_000 });
    outgoing.once('socket', (socket) => {
      if (socket.connecting) tally.connects += 1;
    });
    outgoing.once('timeout', () => outgoing.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
    outgoing.once('error', reject);
    outgoing.once('response', (response) => {
      response.once('error', reject);
      response.resume().once('end', () => resolve(response));
    });
  });
}
