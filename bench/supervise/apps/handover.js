'use strict';
// A primary on rustcluster/cluster that does as it is told, one order a message: workers come, leave, are evened out.
const { once } = require('node:events');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const cluster = require(path.join(process.env.ROOT, 'js/cluster.js'));

const orders = {
  /** A worker more. Answers with its id and, with `rebalance`, ms until all have the same number of connections. */
  async fork() {
    const worker = cluster.fork();
    await once(worker, 'listening');
    const began = performance.now();
    let even = 0;
    while (cluster.settings.rebalance && !isEven()) {
      await sleep(1);
      even = performance.now() - began;
    }
    return { id: worker.id, even };
  },
  drain: ({ id }) => cluster.drain(cluster.workers[id], { timeout: 30_000 }),
  /** Until the connections have been read, too. */
  async rebalance() {
    const { moved } = await cluster.rebalance();
    while (cluster.connections().some(({ waiting }) => waiting > 0)) await sleep(1);
    return { moved };
  },
  connections: () => cluster.connections(),
  pids: () => [process.pid, ...Object.values(cluster.workers).map((worker) => worker.process.pid)],
};

function isEven() {
  const counts = cluster.connections().map(({ active }) => active);
  return Math.max(...counts) - Math.min(...counts) <= 1;
}

cluster.setupPrimary({ exec: process.argv[2], rebalance: process.argv[3] === 'rebalance' });
process.on('message', async ({ order, ...given }) => process.send((await orders[order](given)) ?? null));
process.once('disconnect', () => process.exit());
