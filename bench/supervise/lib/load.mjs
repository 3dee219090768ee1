/** Clients: requests without a pause, or with one, until told to stop; every failure is kept with all that is known. */
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

let last = 0;

/**
 * @param {number} port
 * @param {object} [options]
 * @param {number} [options.clients]
 * @param {'close' | 'keep-alive' | 'idle'} [options.kind] `idle`: keep-alive, with 50 to 1,000 ms between two requests
 * @param {string} [options.path] each request is given a number of its own as its query
 * @param {number} [options.pause] milliseconds between two requests of one client
 * @returns {() => Promise<Tally>} stops it
 *
 * @typedef {object} Tally
 * @property {number} ok
 * @property {{ id: number, began: number, code: string, port?: number, pid?: string }[]} failures `began`:
 *   performance.now(); `port`: the connection's, on this side; `pid`: who had answered last on it
 * @property {number} connects
 * @property {number} slowest milliseconds
 */
export function load(port, { clients = 8, kind = 'close', path = '/', pause = 0 } = {}) {
  const tally = { ok: 0, failures: [], connects: 0, slowest: 0 };
  let running = true;
  const client = async () => {
    const agent = kind === 'close' ? undefined : new http.Agent({ keepAlive: true, maxSockets: 1 });
    let pid;
    while (running) {
      last += 1;
      const [id, began] = [last, performance.now()];
      try {
        pid = await request(port, `${path}?${id}`, agent, tally);
        tally.ok += 1;
      } catch (error) {
        tally.failures.push({ id, began, code: error.code ?? error.message, port: error.from, pid: agent && pid });
      }
      tally.slowest = Math.max(tally.slowest, performance.now() - began);
      if (kind === 'idle') await sleep(50 + Math.random() * 950);
      else if (pause > 0) await sleep(pause);
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
    let from;
    const fail = (error) => reject(Object.assign(error, { from }));
    outgoing.once('socket', (socket) => {
      from = socket.localPort;
      if (!socket.connecting) return;
      tally.connects += 1;
      socket.once('connect', () => {
        from = socket.localPort;
      });
    });
    outgoing.once('timeout', () => outgoing.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
    outgoing.once('error', fail);
    outgoing.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => {
        text += piece;
      });
      response.once('error', fail);
      response.once('end', () => resolve(text));
    });
  });
}

/**
 * A request whose answer begins and does not end.
 * @returns {Promise<{ pid: number, at: number }>} who has begun to answer, and when (performance.now())
 */
export function begin(port, path) {
  return new Promise((resolve, reject) => {
    const outgoing = http.get({ host: '127.0.0.1', port, path, agent: false });
    outgoing.once('error', reject);
    outgoing.once('response', (response) => {
      response.on('error', () => {});
      response.once('data', (piece) => resolve({ pid: Number(piece), at: performance.now() }));
    });
  });
}
