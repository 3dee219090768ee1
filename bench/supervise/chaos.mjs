#!/usr/bin/env node
/**
 * `npm run chaos`: kills, hangs and breaks a supervised app in every way we know, and counts what its clients notice.
 * On loopback, bounded in time; exit status 1 when anything promised did not hold.
 *
 * A scenario is a file in scenarios/ that exports
 * - `title`: one line
 * - `limit`: seconds after which it has failed
 * - `run({ log, quick, managers })`: does it, and answers `{ rows, targets }`: rows of plain data, all with the same keys, and
 *   what was promised, made by `promise()` of lib/promise.mjs
 */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ensurePeers } from '../lib/peers.mjs';

const FOLDER = new URL('./scenarios/', import.meta.url);
const OPTIONS = {
  only: { type: 'string', help: 'only scenarios whose name holds this' },
  quick: { type: 'boolean', help: 'less of everything: shows that it works, proves little' },
  managers: { type: 'string', help: 'reload-under-load: only those (ours, pm2, node:cluster), separated by commas' },
  list: { type: 'boolean', help: 'the names of the scenarios' },
  help: { type: 'boolean', help: 'this text' },
};

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage = error.code?.startsWith('ERR_PARSE_ARGS');
  console.error(isUsage ? `${error.message} (--help shows the usage)` : error);
  process.exitCode = isUsage ? 2 : 1;
}

async function main() {
  const { values } = parseArgs({ options: OPTIONS });
  const names = readdirSync(FOLDER)
    .filter((file) => file.endsWith('.mjs'))
    .map((file) => file.slice(0, -4))
    .filter((name) => name.includes(values.only ?? ''))
    .sort();
  if (values.help) {
    console.log('npm run chaos -- [options]');
    for (const [name, { help }] of Object.entries(OPTIONS)) console.log(`  --${name.padEnd(10)}${help}`);
    return 0;
  }
  if (values.list) {
    console.log(names.join('\n'));
    return 0;
  }
  if (names.length === 0) throw Object.assign(new Error('No such scenario'), { code: 'ERR_PARSE_ARGS_ONLY' });
  ensurePeers();
  const { report, summary } = await import('./lib/report.mjs');
  const verdicts = [];
  for (const name of names) {
    const verdict = await play(name, { quick: values.quick === true, managers: values.managers?.split(',') });
    report(verdict);
    verdicts.push(verdict);
  }
  summary(verdicts);
  return verdicts.every(({ kept }) => kept) ? 0 : 1;
}

/** @returns {Promise<object>} what came of one scenario; never rejects */
async function play(name, options) {
  const { title, limit, run } = await import(new URL(`${name}.mjs`, FOLDER));
  const { killAll } = await import('./lib/app.mjs');
  const log = (line) => console.error(`  ${line}`);
  console.error(`${name}: ${title}`);
  const began = performance.now();
  const late = sleep(limit * 1000, undefined, { ref: false }).then(() => {
    throw new Error(`not over after ${limit} s`);
  });
  let verdict;
  try {
    const { rows = [], targets } = await Promise.race([run({ log, ...options }), late]);
    verdict = { rows, targets, kept: targets.every(({ ok }) => ok) };
  } catch (error) {
    verdict = { rows: [], targets: [], kept: false, error };
  }
  await killAll();
  return { name, title, ...verdict, seconds: (performance.now() - began) / 1000 };
}
