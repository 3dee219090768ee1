'use strict';
/**
 * Runs at `npm install`. A released package finds its prebuilt addon among its optional dependencies and does nothing
 * here; a clone of the repository, and any platform without a prebuilt addon, builds it with cargo.
 */
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const isClone = fs.existsSync(path.join(root, 'test'));

function loads() {
  // In a process of its own: a half-written or foreign addon can take down the one that loads it.
  const probe = spawnSync(process.execPath, ['-e', 'require("./js/native.js")'], { cwd: root, stdio: 'ignore' });
  return probe.status === 0;
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  return error ?? (status === 0 ? undefined : new Error(`${command} exited with ${status}`));
}

function build() {
  // The clone has the napi command line tool, which also writes the types; a user who builds has cargo alone.
  if (isClone && fs.existsSync(path.join(root, 'node_modules/@napi-rs/cli'))) return run('npm', ['run', 'build']);
  const failed = run('cargo', ['build', '--release', '--locked', '--lib']);
  if (failed) return failed;
  const library = { darwin: 'librustcluster.dylib', win32: 'rustcluster.dll' }[process.platform] ?? 'librustcluster.so';
  const { triple } = require('../js/triple.js');
  // Where cargo puts it when the user's environment names a folder or a target of its own.
  const { CARGO_TARGET_DIR = 'target', CARGO_BUILD_TARGET = '' } = process.env;
  fs.copyFileSync(
    path.resolve(root, CARGO_TARGET_DIR, CARGO_BUILD_TARGET, 'release', library),
    path.join(root, `rustcluster.${triple()}.node`),
  );
  if (!isClone) fs.rmSync(path.join(root, 'target'), { recursive: true, force: true });
  return undefined;
}

if (isClone || !loads()) {
  const failed = build();
  if (failed) {
    const hint =
      failed.code === 'ENOENT' ? ' Rust was not found: install it from https://rustup.rs and try again.' : '';
    console.error(
      `rustcluster: no prebuilt addon for this platform, and building it failed: ${failed.message}.${hint}`,
    );
    process.exit(1);
  }
}
