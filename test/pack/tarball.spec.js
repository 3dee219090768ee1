'use strict';
// What a user does: `npm install` of the packed package into an empty project, then require, import and TypeScript.
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const root = path.join(__dirname, '../..');

const hostTarget = () => /^host: (.*)$/m.exec(execFileSync('rustc', ['-vV'], { encoding: 'utf8' }))[1];

describe('the packed package', function () {
  // Without a prebuilt addon the install compiles the crate.
  this.timeout(600_000);
  let project;
  let contents;
  const run = (command, ...args) =>
    execFileSync(command, args, {
      cwd: project,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      // Dependencies are compiled already, for this target: the crate itself is built anew.
      env: { ...process.env, CARGO_TARGET_DIR: path.join(root, 'target'), CARGO_BUILD_TARGET: hostTarget() },
    });

  before(() => {
    project = fs.mkdtempSync(path.join(os.tmpdir(), 'rustcluster-pack-'));
    const [packed] = JSON.parse(
      execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], { cwd: root }),
    );
    contents = packed.files.map((file) => file.path);
    fs.writeFileSync(path.join(project, 'package.json'), '{ "name": "empty", "private": true }');
    run('npm', 'install', '--no-audit', '--no-fund', path.join(project, packed.filename));
    // 3 x 2 pixels, 24 bits, rows padded to 12 bytes.
    const bmp = Buffer.alloc(54 + 24);
    bmp.write('BM');
    bmp.writeUInt32LE(bmp.length, 2);
    bmp.writeUInt32LE(54, 10);
    bmp.writeUInt32LE(40, 14);
    bmp.writeInt32LE(3, 18);
    bmp.writeInt32LE(2, 22);
    bmp.writeUInt16LE(1, 26);
    bmp.writeUInt16LE(24, 28);
    bmp[54] = 200;
    fs.writeFileSync(path.join(project, 'picture.bmp'), bmp);
  });
  after(() => fs.rmSync(project, { recursive: true }));

  it('holds what users need and nothing else', () => {
    const strangers = contents.filter(
      (file) =>
        !/^(js|src|docs)\/|^(Cargo\.(toml|lock)|build\.rs|scripts\/install\.js|package\.json|[A-Z]+(\.md)?)$/.test(
          file,
        ),
    );
    assert.deepEqual(strangers, []);
    for (const file of ['js/index.mjs', 'js/index.d.ts', 'js/native.d.ts', 'src/lib.rs', 'README.md', 'LICENSE']) {
      assert.ok(contents.includes(file), file);
    }
  });

  it('works by require', () => {
    const script = `require('rustcluster').flip(require('fs').readFileSync('picture.bmp'))
      .then((flipped) => console.log(flipped.length, flipped[54 + 12]))`;
    assert.equal(run(process.execPath, '-e', script), '78 200\n');
  });

  it('works from an ESM file', () => {
    fs.writeFileSync(
      path.join(project, 'app.mjs'),
      `import { hash } from 'rustcluster'; console.log(await hash('sha256', 'abc'));`,
    );
    assert.match(run(process.execPath, 'app.mjs'), /^ba7816bf/);
  });

  it('works from a TypeScript file', () => {
    const source = `import { flipFile, type FlipInfo } from 'rustcluster';
      const info: FlipInfo = await flipFile('picture.bmp', 'flipped.bmp', { direction: 'both' });
      console.log(info.format, info.width, info.height, info.lossless);`;
    fs.writeFileSync(path.join(project, 'app.mts'), source);
    const types = path.join(root, 'node_modules/@types');
    const options = '--module nodenext --target es2022 --strict --types node'.split(' ');
    run(
      process.execPath,
      path.join(root, 'node_modules/typescript/bin/tsc'),
      ...options,
      '--typeRoots',
      types,
      'app.mts',
    );
    assert.equal(run(process.execPath, 'app.mjs'), 'bmp 3 2 true\n');
  });

  it('has a command line', () => {
    assert.match(run(path.join(project, 'node_modules/.bin/rustcluster'), '--version'), /^\d+\.\d+\.\d+\n$/);
  });
});
