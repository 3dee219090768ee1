/** Where ten thousand client addresses go under `sticky`, and how many of them move when a worker is added. */
import http from 'node:http';
import { printRows, printTargets } from '../lib/report.mjs';
import { modes, start, target } from './servers.mjs';

const [CLIENTS, WORKERS, AT_ONCE] = [10_000, 4, 100];

/** One address of 127.0.0.0/8 a client; 7919 is prime, so that none comes twice. */
const address = (client) => {
  const number = 2 ** 16 + ((client * 7919 * 1657) % (2 ** 24 - 2 ** 17));
  return `127.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
};

export async function runSticky({ node, quick }, log) {
  const clients = quick ? CLIENTS / 10 : CLIENTS;
  const title = `${clients} client addresses under sticky, on ${WORKERS} workers and one more`;
  log(title);
  const [ours] = modes(node);
  const server = await start(ours, WORKERS, { env: { POLICY: 'sticky' } });
  let before;
  let after;
  try {
    before = await assign(server.port, clients);
    process.kill(server.pid, 'SIGUSR2');
    // It listens once it is met by somebody; the addresses of this machine's own client are as good as any.
    await until(async () => new Set(await assign(server.port, 100)).size === WORKERS + 1);
    after = await assign(server.port, clients);
  } finally {
    await server.stop();
  }
  const share = clients / WORKERS;
  const counts = [...tally(before).values()];
  const off = Math.max(...counts.map((count) => Math.abs(count - share) / share));
  const moved = after.filter((pid, client) => pid !== before[client]).length / clients;
  const needless = after.filter((pid, client) => pid !== before[client] && before.includes(pid)).length;
  const targets = [
    target('workers met', 'at least', WORKERS, counts.length),
    target('off an even share', 'at most', 0.1, off),
    target('share of the addresses that moved', 'at most', 1.2 / (WORKERS + 1), moved),
    target('moved between old workers', 'at most', 0, needless),
  ];
  const rows = [{ 'addresses of each worker': counts.join(', '), 'off an even share': off, moved }];
  printRows(title, rows);
  printTargets(targets);
  return { name: 'sticky', title, cases: [{ ...ours, runs: rows }], targets };
}

function tally(pids) {
  const counts = new Map();
  for (const pid of pids) counts.set(pid, (counts.get(pid) ?? 0) + 1);
  return counts;
}

/** @returns {Promise<string[]>} the worker each address meets */
async function assign(port, clients) {
  const met = new Array(clients);
  let next = 0;
  const ask = async () => {
    while (next < clients) {
      const client = next++;
      met[client] = await from(port, address(client));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  return met;
}

function from(port, localAddress) {
  return new Promise((resolve, reject) => {
    const outgoing = http.get({ host: '127.0.0.1', port, localAddress, agent: false }, (response) => {
      response.setEncoding('utf8').on('data', resolve).on('error', reject);
    });
    outgoing.on('error', reject);
  });
}

async function until(condition) {
  for (let i = 0; i < 200; i++) if (await condition()) return;
  throw new Error('the new worker does not answer');
}
