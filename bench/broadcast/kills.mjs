/** Workers that publish without pause and are killed at random instants, in a program that asserts what must hold. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { target } from '../dispatch/servers.mjs';
import { ROOT } from '../lib/ours.mjs';
import { printRows, printTargets } from '../lib/report.mjs';

export async function runKills({ quick }, log) {
  const kills = quick ? 20 : 1000;
  const title = `${kills} publishing workers killed at random instants`;
  log(title);
  const cases = [];
  for (const [name, bystanders] of [
    ['bystanders killed', '1'],
    ['publishers killed', '0'],
  ]) {
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
    if (code !== 0) throw new Error(`the program ended with ${code}: ${text}`);
    cases.push({ name, ours: true, ...JSON.parse(text) });
  }
  const [calm, killed] = cases;
  const targets = [
    target('messages torn, lost or out of order', 'at most', 0, killed.wrong),
    target(
      'longest publish of a survivor: publishers killed / bystanders killed',
      'at most',
      1,
      killed.longest / calm.longest,
    ),
    target(
      "p99.9 of a survivor's publishes: publishers killed / bystanders killed",
      'at most',
      1,
      killed.p999 / calm.p999,
    ),
    target('the same, p99.99', 'at most', 1, killed.p9999 / calm.p9999),
  ];
  printRows(
    title,
    cases.map(({ name, kills: count, checked, longest, p999, p9999 }) => ({
      '': name,
      kills: count,
      'messages checked': checked,
      'p99.9 ms': p999,
      'p99.99 ms': p9999,
      'longest ms': longest,
    })),
  );
  printTargets(targets);
  return { name: 'kills', title, cases, targets };
}
