/**
 * A visitor that asks GET / every 10 ms, in a process of its own, so that its clock does not suffer from the load the
 * benchmark makes. It does not wait for answers before it asks again, and a question that must wait because too many are
 * open counts from when it was due.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { request } from './http.mjs';

const INTERVAL = 10;
const MOST_OPEN = 256;
const WARM_UP = 50;

/**
 * Starts to ask.
 * @param {number} port
 * @returns {Promise<{ stop(): Promise<{ delays: number[], failed: number }> }>} `stop` waits for the open answers;
 *   milliseconds
 */
export async function startProbe(port) {
  const child = fork(fileURLToPath(import.meta.url), [String(port)]);
  await once(child, 'message');
  return {
    async stop() {
      const answer = once(child, 'message');
      child.send('stop');
      const [result] = await answer;
      await once(child, 'exit');
      return result;
    },
  };
}

/** What the child does. */
async function main(port) {
  const delays = [];
  const due = [];
  let [open, failed, next] = [0, 0, 0];

  const ask = async () => {
    const since = due.shift();
    open++;
    try {
      const { status } = await request(port, '/', { timeout: 600_000 });
      if (status === 200) delays.push(performance.now() - since);
      else failed++;
    } catch {
      failed++;
    }
    open--;
    if (due.length > 0) ask();
  };
  const tick = () => {
    for (; next <= performance.now(); next += INTERVAL) due.push(next);
    while (due.length > 0 && open < MOST_OPEN) ask();
  };

  // The first requests of a process load and compile the client: they would tell of this process, not of the server.
  for (let i = 0; i < WARM_UP; i++) await request(port, '/');
  next = performance.now();
  // A benchmark that is broken off must not leave its visitor behind.
  process.once('disconnect', () => process.exit());
  const timer = setInterval(tick, INTERVAL);
  process.send('started');
  await once(process, 'message');
  clearInterval(timer);
  while (open > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  process.send({ delays, failed }, () => process.exit());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(Number(process.argv[2]));
