'use strict';
/** Runs scenarios: programs under test/fixtures/dispatch/ that end with code 0 when all went as they expect. */
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const FIXTURES = path.join(__dirname, '../fixtures/dispatch');
const TRANSPORTS = process.platform === 'linux' ? ['uv', 'thread', 'stock'] : ['stock'];

/** Runs one to its end, within milliseconds; its own process group, so that nothing survives a failure. */
function run(file, { env = {}, args = [], execArgv = [], within = 100_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...execArgv, path.join(FIXTURES, file), ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (chunk) => {
        output += chunk;
      });
    }
    const timer = setTimeout(() => {
      output += '\n(took too long)';
      process.kill(-child.pid, 'SIGKILL');
    }, within);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, output });
    });
  });
}

/** Runs one and asserts that it went well. */
async function passes(file, options) {
  const { code, signal, output } = await run(file, options);
  assert.equal(code, 0, `${file} ended with ${signal ?? code}:\n${output}`);
  return output;
}

/** Every scenario in a folder, by name. */
const scenarios = (folder) =>
  fs
    .readdirSync(path.join(FIXTURES, folder))
    .filter((file) => /\.m?js$/.test(file))
    .map((file) => path.join(folder, file));

module.exports = { passes, run, scenarios, TRANSPORTS };
