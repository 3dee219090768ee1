/** The ways of spreading connections that are compared, and their servers. */
import { join } from 'node:path';
import { ROOT } from '../lib/ours.mjs';
import { startServer } from '../lib/server.mjs';

const [major, minor] = process.versions.node.split('.').map(Number);
/** listen({ reusePort }) came with 22.12 and 23.1. */
const HAS_REUSE_PORT = major > 23 || (major === 23 && minor > 0) || (major === 22 && minor > 11);

/** @returns {object[]} the cases; the first is the one ratios are against */
export const modes = () =>
  [
    { name: 'rustcluster', mode: 'rustcluster', ours: true },
    { name: 'stock round robin', mode: 'rr' },
    { name: 'SCHED_NONE', mode: 'none' },
    { name: 'reusePort', mode: 'reuseport', skipped: !HAS_REUSE_PORT && `Node ${process.version} has no reusePort` },
  ].map((one) => ({ ...one, runs: [] }));

/** @param {string} mode @param {number} workers */
export function start(mode, workers) {
  const env = { MODE: mode, WORKERS: String(workers) };
  return startServer([process.execPath, join(ROOT, 'bench/fixtures/dispatch-server.mjs')], { env, workers });
}

/** The median of one figure over a case's runs. @returns {number | undefined} */
export function middle({ runs }, name) {
  const values = runs.map((run) => run[name]).sort((a, b) => a - b);
  return values.length === 0 ? undefined : values[Math.floor(values.length / 2)];
}

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
