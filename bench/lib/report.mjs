/** Reports: a table for people, JSON for machines. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';

const RESULTS = fileURLToPath(new URL('../results/', import.meta.url));
const PLAIN = { style: { head: [], border: [], compact: true } };

/** @param {number | undefined} value milliseconds @returns {string} */
export const ms = (value) => number(value);
const times = ({ min, median }) => `${number(median)} (${number(min)})`;
const mib = (bytes) => (bytes === undefined ? '' : `${number(bytes / 2 ** 20)}`);

/** Whole numbers as they are, others to three significant figures, without an exponent. */
export function number(value) {
  if (value === undefined || value === null || Number.isNaN(value)) return '';
  if (Number.isInteger(value)) return String(value);
  const places = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return value.toFixed(places);
}

/**
 * Prints what one suite found.
 * @param {object} report from `runSuite`
 */
export function printSuite({ title, bytes, cases, targets }) {
  const head = ['', 'CPU ms', 'min', 'wall ms', 'min', 'CPU x ours (min)', 'wall x ours (min)'];
  if (bytes) head.push('MB/s');
  head.push('peak MiB', 'loop p99', 'max', '');
  const table = new Table({ head, ...PLAIN });
  for (const one of cases) table.push(row(one, bytes, head.length));
  console.log(`\n${title}\n${table}`);
  printTargets(targets);
}

function row(one, bytes, width) {
  if (!one.cpu) {
    const why = one.skipped ? `skipped: ${one.skipped}` : `FAILED: ${one.failed}`;
    return [one.name, { colSpan: width - 1, content: why }];
  }
  const { cpu, wall, againstOurs, loopDelay } = one;
  const cells = [one.ours ? `* ${one.name}` : one.name, ms(cpu.median), ms(cpu.min), ms(wall.median), ms(wall.min)];
  cells.push(againstOurs ? times(againstOurs.cpu) : '', againstOurs ? times(againstOurs.wall) : '');
  if (bytes) cells.push(number(bytes / 1e3 / wall.median));
  cells.push(mib(one.peakMemory), ms(loopDelay?.p99), ms(loopDelay?.max), one.remark ?? '');
  return cells;
}

/** @param {object[]} targets what the suite promises, judged */
export function printTargets(targets) {
  if (targets.length === 0) return;
  const table = new Table({ head: ['target', '', 'required', 'measured', ''], ...PLAIN });
  for (const { what, limit, required, measured, ok, incredible } of targets) {
    const verdict =
      ok === null ? 'not measured' : ok ? 'met' : incredible ? 'INCREDIBLE: unlike conditions?' : 'MISSED';
    table.push([what, limit, number(required), number(measured), verdict]);
  }
  console.log(`${table}`);
}

/**
 * Prints rows of plain data under their keys.
 * @param {string} title
 * @param {object[]} rows all with the same keys
 */
export function printRows(title, rows) {
  const table = new Table({ head: Object.keys(rows[0] ?? {}), ...PLAIN });
  for (const one of rows) {
    table.push(Object.values(one).map((value) => (typeof value === 'number' ? number(value) : (value ?? ''))));
  }
  console.log(`\n${title}\n${table}`);
}

/**
 * Writes bench/results/<name>.json.
 * @param {string} name
 * @param {object} result
 * @returns {string} the path
 */
export function writeResult(name, result) {
  mkdirSync(RESULTS, { recursive: true });
  const path = `${RESULTS}${name}.json`;
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
  return path;
}
