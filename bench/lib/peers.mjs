/** Installs the peers that bench/package.json names, when they are not there in the locked versions. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('..', import.meta.url));
const read = (path) => JSON.parse(readFileSync(`${FOLDER}${path}`, 'utf8'));

/** @throws {Error} when npm fails */
export function ensurePeers() {
  if (arePeersInstalled()) return;
  console.error('Installing the peers (npm ci in bench/)');
  // Under "npm run" the very npm that runs us is known; it is a script, so no shell is needed for it on any system.
  const npm = process.env.npm_execpath;
  const [command, args] = npm ? [process.execPath, [npm, 'ci']] : ['npm', ['ci']];
  const { status, error } = spawnSync(command, args, { cwd: FOLDER, stdio: ['ignore', 2, 2], shell: !npm });
  if (status !== 0) throw new Error(`npm ci in ${FOLDER} failed${error ? `: ${error.message}` : ''}`);
}

function arePeersInstalled() {
  const locked = read('package-lock.json').packages;
  let installed;
  try {
    installed = read('node_modules/.package-lock.json').packages;
  } catch {
    return false;
  }
  return Object.entries(locked).every(
    ([path, { version, optional }]) => path === '' || optional || installed[path]?.version === version,
  );
}

/** @returns {Record<string, string>} name -> installed version of what bench/package.json names */
export function peerVersions() {
  const names = Object.keys(read('package.json').dependencies);
  return Object.fromEntries(names.map((name) => [name, read(`node_modules/${name}/package.json`).version]));
}
