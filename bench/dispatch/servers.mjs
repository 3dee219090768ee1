/** The ways of spreading connections that are compared, and their servers. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../lib/ours.mjs';
import { startServer } from '../lib/server.mjs';
import { interleave, median } from '../lib/stats.mjs';

const FIXTURE = join(ROOT, 'bench/fixtures/dispatch-server.mjs');
/** PM2's command line, its public interface. */
const PM2 = join(ROOT, 'bench/node_modules/pm2/bin/pm2');

/** listen({ reusePort }) came with 22.12 and 23.1. */
function hasReusePort(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > 23 || (major === 23 && minor > 0) || (major === 22 && minor > 11);
}

/**
 * @param {string} node the program the servers run on
 * @returns {object[]} the cases; the first is the one ratios are against
 */
export function modes(node) {
  const version = execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim();
  return [
    { name: 'rustcluster', mode: 'rustcluster', ours: true },
    { name: 'stock round robin', mode: 'rr' },
    { name: 'SCHED_NONE', mode: 'none' },
    { name: 'reusePort', mode: 'reuseport', skipped: !hasReusePort(version) && `Node ${version} has no reusePort` },
    { name: 'PM2 cluster mode', mode: 'pm2' },
  ].map((one) => ({ ...one, node, runs: [] }));
}

/** @returns {object[]} those of the cases that can run */
export const able = (cases) => cases.filter(({ skipped }) => !skipped);

/**
 * Starts the server of one case.
 * @param {{ mode: string, node: string }} one
 * @param {number} workers
 * @param {{ env?: object, flags?: string[] }} [options] `flags`: Node's
 * @returns {Promise<import('../lib/server.mjs').Server>}
 */
export async function start({ mode, node }, workers, { env = {}, flags = [] } = {}) {
  const all = { ...env, MODE: mode, WORKERS: String(workers) };
  if (mode !== 'pm2') return startServer([node, ...flags, FIXTURE], { env: all, workers });
  const home = mkdtempSync(join(tmpdir(), 'rustcluster-pm2-'));
  const remove = () => rmSync(home, { recursive: true, force: true });
  try {
    // In the foreground its daemon, the primary, is the process we start.
    const command = [node, PM2, 'start', FIXTURE, '-i', String(workers), '--no-daemon'];
    const server = await startServer(command, { env: { ...all, PM2_HOME: home }, workers });
    const { stop } = server;
    server.stop = async () => {
      await stop.call(server);
      remove();
    };
    return server;
  } catch (error) {
    remove();
    throw error;
  }
}

/**
 * The rounds of an experiment, in each of which every case that can run does so once. All servers are up from the first
 * round to the last: a round then takes little more than what is measured, and an idle server costs nothing.
 * @param {object[]} cases
 * @param {{ workers: number, rounds: number }} plan
 * @param {(one: object, server: import('../lib/server.mjs').Server) => Promise<object>} measure one run's figures
 */
export async function measureRounds(cases, { workers, rounds }, measure) {
  const servers = new Map();
  try {
    for (const one of able(cases)) servers.set(one, await start(one, workers));
    for (const list of interleave(able(cases), rounds)) {
      for (const one of list) one.runs.push(await measure(one, servers.get(one)));
    }
  } finally {
    await Promise.all([...servers.values()].map((server) => server.stop()));
  }
}

/** The median of one figure over a case's runs. @returns {number | undefined} */
export function middle({ runs }, name) {
  return runs.length === 0 ? undefined : median(runs.map((run) => run[name]));
}

/**
 * How many times the other's figure ours is: the median over rounds, each compared with itself. On a machine whose speed
 * changes from one second to the next the medians of either may come from different spells.
 * @returns {number} NaN where the other could not run
 */
export function times(ours, other, name) {
  const ratios = ours.runs.map((run, round) => run[name] / other.runs[round]?.[name]);
  return other.runs.length === 0 ? Number.NaN : median(ratios);
}

/** A case's name in a table. */
export const label = ({ name, ours }) => (ours ? `* ${name}` : name);
/** Why a case has no figures, for the last column. */
export const remark = ({ skipped }) => (skipped ? `skipped: ${skipped}` : undefined);

/**
 * What one figure promises.
 * @param {string} what
 * @param {string} limit `at most` or `at least`
 * @param {number} required
 * @param {number | undefined} measured
 */
export function target(what, limit, required, measured) {
  const known = measured !== undefined && !Number.isNaN(measured);
  const ok = known ? (limit === 'at most' ? measured <= required : measured >= required) : null;
  return { what, limit, required, measured, ok };
}
