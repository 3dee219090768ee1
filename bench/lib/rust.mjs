/** Programs of the crate, built for a comparison of whole processes. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hasProgram } from './machine.mjs';
import { ROOT } from './ours.mjs';

/** @param {string} name of a cargo example @returns {string | false} why a case that needs it is skipped */
export function lacksExample(name) {
  const manifest = readFileSync(`${ROOT}/Cargo.toml`, 'utf8');
  if (!manifest.includes(`name = "${name}"`)) return `this version has no program ${name}`;
  return !hasProgram('cargo') && 'cargo is not installed';
}

/**
 * Builds a cargo example, without Node's side of the crate.
 * @param {string} name
 * @returns {string} the path of the program
 * @throws {Error} when cargo fails
 */
export function buildExample(name) {
  const wanted = ['--release', '--locked', '--no-default-features', '--example', name];
  const { status, stdout } = spawnSync('cargo', ['build', ...wanted, '--message-format', 'json', '--quiet'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`cargo build --example ${name} failed`);
  const artifacts = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  return artifacts.find((one) => one.executable && one.target?.name === name).executable;
}
