/** Tables of what came of the scenarios. */
import Table from 'cli-table3';
import { printRows, printTargets } from '../../lib/report.mjs';

const PLAIN = { style: { head: [], border: [], compact: true } };

/** @param {object} verdict of one scenario */
export function report({ name, title, rows, targets, error }) {
  if (rows.length > 0) printRows(`${name}: ${title}`, rows);
  else console.log(`\n${name}: ${title}`);
  printTargets(targets);
  if (error) console.log(`FAILED: ${error.stack ?? error}`);
}

/** @param {object[]} verdicts of all */
export function summary(verdicts) {
  const table = new Table({ head: ['scenario', 'promises', 's', ''], ...PLAIN });
  for (const { name, targets, seconds, kept } of verdicts) {
    const met = targets.filter(({ ok }) => ok).length;
    table.push([name, `${met} of ${targets.length}`, seconds.toFixed(1), kept ? 'kept' : 'BROKEN']);
  }
  console.log(`\n${table}`);
}
