/**
 * Workers that publish without pause and are killed at random instants, in a program that asserts what must hold; beside
 * it the same with workers killed that do not publish.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { wilcoxonRankSum } from 'simple-statistics';
import { target } from '../dispatch/servers.mjs';
import { ROOT } from '../lib/ours.mjs';
import { printRows, printTargets } from '../lib/report.mjs';
import { interleave, median } from '../lib/stats.mjs';

/** Spells of each kind, and kills a spell. */
const [SPELLS, KILLS] = [20, 50];
const CASES = [
  { name: 'publishers killed', ours: true, bystanders: '0' },
  { name: 'bystanders killed', ours: true, bystanders: '1' },
];
const FIGURES = { longest: 'longest publish', p9999: 'p99.99', p999: 'p99.9' };

export async function runKills({ quick }, log) {
  const [spells, kills] = quick ? [2, 10] : [SPELLS, KILLS];
  const title = `${spells * kills} publishing workers killed at random instants, ${kills} a spell`;
  log(title);
  const cases = CASES.map((one) => ({ ...one, runs: [] }));
  for (const list of interleave(cases, spells)) {
    for (const one of list) one.runs.push(await run(one, kills));
  }
  const [killed, calm] = cases;
  const of = (one, figure) => one.runs.map((spell) => spell[figure]);
  const sum = (one, figure) => of(one, figure).reduce((total, value) => total + value, 0);
  const targets = [target('messages torn, lost or out of order', 'at most', 0, sum(killed, 'wrong'))];
  for (const [figure, called] of Object.entries(FIGURES)) {
    const name = `a survivor's ${called}: chance that it is longer in a spell with publishers killed`;
    targets.push(target(name, 'at most', noDifference(spells), chanceOfMore(of(killed, figure), of(calm, figure))));
  }
  printRows(
    title,
    cases.map((one) => ({
      '': one.name,
      kills: sum(one, 'kills'),
      'messages checked': sum(one, 'checked'),
      'p99.9 ms': median(of(one, 'p999')),
      'p99.99 ms': median(of(one, 'p9999')),
      'longest ms': median(of(one, 'longest')),
      'of all ms': Math.max(...of(one, 'longest')),
    })),
  );
  printTargets(targets);
  return { name: 'kills', title, cases, targets };
}

async function run({ name, bystanders }, kills) {
  const env = { ...process.env, SETTING: 'rustcluster', KILLS: String(kills), BYSTANDERS: bystanders };
  const child = spawn(process.execPath, [join(ROOT, 'test/fixtures/broadcast/kills.js')], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${name}: the program ended with ${code}: ${text}`);
  return JSON.parse(text);
}

/**
 * The longest of millions is one moment of the machine's, so spells are compared by rank (Mann and Whitney's U over all
 * pairs): the chance that of one spell of each kind the first has the larger figure. One half: there is no difference.
 */
function chanceOfMore(some, others) {
  const u = wilcoxonRankSum(some, others) - (some.length * (some.length + 1)) / 2;
  return u / (some.length * others.length);
}

/** Up to here chance alone comes 19 times of 20 when there is no difference (the normal limit of U). */
function noDifference(spells) {
  return 0.5 + 1.645 * Math.sqrt((2 * spells + 1) / (12 * spells * spells));
}
