/** A new version that cannot be: the reload is refused, no client notices, and the old workers are still there. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { appFile, startApp, temporaryFolder } from '../lib/app.mjs';
import { load } from '../lib/load.mjs';
import { holds, promise } from '../lib/promise.mjs';

export const title = 'reloads to versions that throw at start, never listen, or crash a second after they were ready';
export const limit = 120;

const VERSIONS = {
  'throws at start': ['throws.cjs', /this version cannot start/],
  'never listens': ['never-listens.cjs', /did not listen within/],
  'crashes after a second': ['crashes-later.cjs', /this version crashes after a second/],
};

export async function run({ log }) {
  const [rows, targets] = [[], []];
  for (const [name, [file, words]] of Object.entries(VERSIONS)) {
    log(name);
    const exec = join(temporaryFolder(), 'app.js');
    copyFileSync(appFile('app.cjs'), exec);
    const app = await startApp(exec, ['-w', '4', '--ready-timeout', '3000']);
    const before = (await app.workers()).map(({ pid }) => pid);
    const loads = ['close', 'keep-alive', 'idle'].map((kind) => load(app.port, { kind, clients: 4 }));
    copyFileSync(appFile(file), exec);
    const began = performance.now();
    const error = await app.ask('reload').catch((refused) => refused);
    const seconds = (performance.now() - began) / 1000;
    const [close, keepAlive, idle] = await Promise.all(loads.map((stop) => stop()));
    const after = (await app.workers()).map(({ pid }) => pid);
    await app.stop();
    const failed = close.failures.length + keepAlive.failures.length + idle.failures.length;
    rows.push({
      version: name,
      answer: error.code,
      's to know': seconds,
      requests: close.ok + keepAlive.ok + idle.ok,
      failed,
      'kept connections lost': keepAlive.connects + idle.connects - 8,
    });
    targets.push(
      holds(`${name}: ERR_RELOAD_REFUSED`, error.code === 'ERR_RELOAD_REFUSED'),
      holds(`${name}: with the child's own words`, words.test(error.message)),
      promise(`${name}: failed requests`, 'exactly', 0, failed),
      holds(`${name}: the same workers as before`, String(before) === String(after) && before.length === 4),
    );
  }
  return { rows, targets };
}
