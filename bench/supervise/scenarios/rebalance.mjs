/** A second worker gets half of 32 kept connections; what a move costs. */
import { temporaryFolder } from '../lib/app.mjs';
import { cpuOf, idleConnections, startHandover } from '../lib/handover.mjs';
import { promise } from '../lib/promise.mjs';

export const title = '32/0 connections to 16/16 after a scale-up, and the CPU time of a move';
export const limit = 120;

const MANY = 1000;

export async function run({ quick }) {
  const times = [];
  for (let i = 0; i < (quick ? 1 : 5); i += 1) times.push(await evenOut());
  times.sort((one, other) => one - other);
  const costs = [];
  for (let i = 0; i < (quick ? 1 : 5); i += 1) costs.push(await costOfMoves());
  costs.sort((one, other) => one - other);
  const [time, cost] = [times, costs].map((list) => list[list.length >> 1]);
  const rows = [
    { 'ms to 16/16, median': time, slowest: times.at(-1), 'us of CPU a move, median': cost, most: costs.at(-1) },
  ];
  const targets = [
    promise('32/0 to 16/16, ms', 'at most', 200, time),
    promise('CPU a move, primary and both workers, us', 'at most', 600, cost),
  ];
  return { rows, targets };
}

/** @returns {Promise<number>} ms from the moment the second worker listens */
async function evenOut() {
  const app = await startHandover(temporaryFolder(), ['rebalance']);
  await app.order('fork');
  const clients = await idleConnections(app.port, 32);
  const { even } = await app.order('fork');
  await Promise.all(clients.map((client) => client.ask()));
  for (const client of clients) client.close();
  await app.stop();
  return even;
}

/** @returns {Promise<number>} us of all processes of the cluster for each connection moved */
async function costOfMoves() {
  const app = await startHandover(temporaryFolder());
  await app.order('fork');
  const clients = await idleConnections(app.port, MANY);
  await app.order('fork');
  const pids = await app.order('pids');
  const before = cpuOf(pids);
  const { moved } = await app.order('rebalance');
  const cost = (cpuOf(pids) - before) / moved;
  await Promise.all(clients.map((client) => client.ask()));
  for (const client of clients) client.close();
  await app.stop();
  return cost;
}
