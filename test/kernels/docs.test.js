'use strict';
// Every sample of docs/kernels.md runs as it stands there.
const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const { bmp, four } = require('../fixtures/images.js');
const { temporaryFolder } = require('../fixtures/supervise/harness.js');

const root = path.join(__dirname, '../..');
const folder = temporaryFolder();
const docs = fs.readFileSync(path.join(root, 'docs/kernels.md'), 'utf8');
const samples = [...docs.matchAll(/^```js\n(.*?)^```$/gms)].map(([, sample]) => sample);

describe('docs/kernels.md', () => {
  before(() => {
    fs.mkdirSync(path.join(folder, 'node_modules'));
    fs.symlinkSync(root, path.join(folder, 'node_modules/rustcluster'), 'junction');
  });

  it('has samples', () => assert.ok(samples.length >= 4));

  for (const [i, sample] of samples.entries()) {
    it(`sample ${i + 1} runs`, async () => {
      fs.writeFileSync(path.join(folder, 'photo.jpg'), bmp(four));
      fs.writeFileSync(path.join(folder, 'access.log'), 'GET /\n'.repeat(1000));
      const file = path.join(folder, `sample-${i}.mjs`);
      fs.writeFileSync(file, sample);
      const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder });
      assert.ok(stdout.length > 0);
    });
  }
});
