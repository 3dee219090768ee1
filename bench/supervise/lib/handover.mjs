/** apps/handover.js in a process of its own, and clients that keep a connection each. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { ROOT } from '../../lib/ours.mjs';
import { copyOf, freePort } from './managers.mjs';

/**
 * @param {string} folder where apps/ids.js writes
 * @param {string[]} [args] of apps/handover.js
 * @returns {Promise<{ port: number, order: (order: string, given?: object) => Promise<any>, stop: () => Promise<void> }>}
 */
export async function startHandover(folder, args = []) {
  const port = await freePort();
  const env = { ...process.env, ROOT, PORT: String(port), LOG_FOLDER: folder, KEEP_ALIVE: '60000' };
  const child = fork(copyOf('handover.js'), [copyOf('ids.js'), ...args], { env });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const gone = once(child, 'exit');
  const order = async (name, given) => {
    child.send({ order: name, ...given });
    const [answer, ended] = await Promise.race([once(child, 'message'), gone.then((end) => [undefined, end])]);
    if (ended?.length === 2) throw new Error(`the primary ended during ${name}`);
    return answer;
  };
  const stop = async () => {
    child.disconnect();
    await gone;
    process.removeListener('exit', kill);
  };
  return { port, order, stop };
}

/** Connections on which one request was answered. @returns {Promise<{ ask: () => Promise<void>, close: () => void }[]>} */
export async function idleConnections(port, count) {
  const connect = async () => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    const ask = async () => {
      socket.write('GET /?idle.0 HTTP/1.1\r\nHost: here\r\n\r\n');
      const ended = once(socket, 'close').then(() => {
        throw new Error('the connection has ended');
      });
      // An answer of some two hundred bytes over loopback comes whole.
      await Promise.race([once(socket, 'data'), ended]);
    };
    await ask();
    return { ask, close: () => socket.destroy() };
  };
  return Promise.all(Array.from({ length: count }, connect));
}

/** CPU time of all threads of processes so far, in microseconds. */
export function cpuOf(pids) {
  const threads = pids.flatMap((pid) => readdirSync(`/proc/${pid}/task`).map((id) => `/proc/${pid}/task/${id}`));
  return threads.reduce(
    (sum, path) => sum + Number(readFileSync(`${path}/schedstat`, 'latin1').split(' ')[0]) / 1000,
    0,
  );
}
