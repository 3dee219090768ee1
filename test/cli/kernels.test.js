'use strict';
// `rustcluster flip` and `rustcluster hash`.
const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { command } = require('../fixtures/command.js');
const { bmp, four, readBmp } = require('../fixtures/images.js');
const { temporaryFolder } = require('../fixtures/supervise/harness.js');

const folder = temporaryFolder();
const at = (name) => path.join(folder, name);

describe('rustcluster flip', () => {
  before(() => fs.writeFileSync(at('in.bmp'), bmp(four)));

  it('flips a file into another', async () => {
    const { code, stdout } = await command(['flip', at('in.bmp'), at('out.bmp')]).ended;
    assert.equal(code, 0);
    assert.match(stdout, /out\.bmp: bmp 2x2, 70 -> 70 bytes/);
    assert.deepEqual(readBmp(fs.readFileSync(at('out.bmp'))), [...four].reverse());
  });

  it('flips in another direction', async () => {
    await command(['flip', at('in.bmp'), at('both.bmp'), '-d', 'both']).ended;
    const flipped = readBmp(fs.readFileSync(at('both.bmp')));
    assert.deepEqual(
      flipped,
      [...four].reverse().map((row) => [...row].reverse()),
    );
  });

  it('tells what is wrong, by exit code as well', async () => {
    const [missing, direction] = await Promise.all([
      command(['flip', at('nowhere.bmp'), at('x.bmp')]).ended,
      command(['flip', at('in.bmp'), at('x.bmp'), '-d', 'up']).ended,
    ]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /^rustcluster: ENOENT: no such file or directory, open '.*nowhere\.bmp'$/m);
    assert.equal(direction.code, 2);
    assert.equal(fs.existsSync(at('x.bmp')), false);
  });
});

describe('rustcluster hash', () => {
  before(() => fs.writeFileSync(at('text'), 'some text'));
  const digest = (algorithm) => createHash(algorithm).update('some text').digest('hex');

  it('prints digests as sha256sum does', async () => {
    const { code, stdout } = await command(['hash', at('text'), at('text')]).ended;
    assert.deepEqual([code, stdout], [0, `${digest('sha256')}  ${at('text')}\n`.repeat(2)]);
  });

  it('knows other algorithms', async () => {
    const { stdout } = await command(['hash', '-a', 'sha512', at('text')]).ended;
    assert.equal(stdout, `${digest('sha512')}  ${at('text')}\n`);
  });

  it('takes more files than the kernels’ queue has room for', async () => {
    fs.writeFileSync(at('large'), '');
    fs.truncateSync(at('large'), 256 * 1024);
    const { code, stdout, stderr } = await command(['hash', ...Array(2500).fill(at('large'))]).ended;
    assert.deepEqual([code, stderr, stdout.split('\n').length], [0, '', 2501]);
  });

  it('goes on after a file that cannot be read, with exit code 1', async () => {
    const { code, stdout, stderr } = await command(['hash', at('nowhere'), at('text')]).ended;
    assert.equal(code, 1);
    assert.match(stderr, /ENOENT/);
    assert.equal(stdout, `${digest('sha256')}  ${at('text')}\n`);
  });
});
