/** Who gets 64 connections that stay open, on four workers. */
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { printRows, printTargets } from '../lib/report.mjs';
import { label, measureRounds, middle, modes, remark, target } from './servers.mjs';

const [CLIENTS, WORKERS] = [64, 4];
const REQUEST = 'GET / HTTP/1.1\r\nHost: here\r\n\r\n';

export async function runSpread({ node, rounds }, log) {
  const title = `${CLIENTS} keep-alive connections over ${WORKERS} workers`;
  log(title);
  const cases = modes(node);
  await measureRounds(cases, { workers: WORKERS, rounds }, (one, server) => measure(one, server, log));
  const [ours] = cases;
  const worst = ours.runs.reduce((most, { off }) => Math.max(most, off), 0);
  const targets = [target('off an even share, in any round', 'at most', 1, worst)];
  const rows = cases.map((one) => ({
    '': label(one),
    'fewest of a worker': middle(one, 'fewest'),
    most: middle(one, 'most'),
    ' ': remark(one),
  }));
  printRows(title, rows);
  printTargets(targets);
  return { name: 'spread', title, cases, targets };
}

async function measure(one, server, log) {
  const sockets = Array.from({ length: CLIENTS }, () => net.connect(server.port, '127.0.0.1'));
  try {
    const counts = new Map();
    await Promise.all(
      sockets.map(async (socket) => {
        socket.setEncoding('utf8').write(REQUEST);
        const [text] = await once(socket, 'data');
        const pid = text.split('\r\n\r\n')[1];
        counts.set(pid, (counts.get(pid) ?? 0) + 1);
      }),
    );
    const list = [...counts.values()];
    while (list.length < WORKERS) list.push(0);
    const [fewest, most] = [Math.min(...list), Math.max(...list)];
    const share = CLIENTS / WORKERS;
    log(`  ${one.mode}: ${list.join(', ')}`);
    return { fewest, most, off: Math.max(share - fewest, most - share) };
  } finally {
    for (const socket of sockets) socket.destroy();
    // Until the workers have noticed: the next round's connections must find none open.
    await sleep(200);
  }
}
