'use strict';
const { pipeline } = require('node:stream');
const { createGzip, hashFile } = require('rustcluster');
const { clientSignal } = require('../lib/abort.js');
const { openPublic, pathOf } = require('../lib/public-files.js');

/** GET /hash-file/:name: SHA-256 of a file of the public folder. */
async function hash(ctx) {
  const { name } = ctx.params;
  const handle = await openPublic(name);
  try {
    const digest = await hashFile('sha256', pathOf(handle, name), { signal: clientSignal(ctx) });
    ctx.body = { name, algorithm: 'sha256', hash: digest, worker: process.pid };
  } finally {
    await handle.close();
  }
}

/** GET /compress/:name: a file of the public folder, gzipped on its way out. */
async function compress(ctx) {
  const { name } = ctx.params;
  const handle = await openPublic(name);
  ctx.attachment(`${name}.gz`);
  ctx.type = 'application/gzip';
  // pipeline: when the client leaves, Koa destroys the last stream and this closes the file.
  ctx.body = pipeline(handle.createReadStream(), createGzip(), () => {});
}

module.exports = { compress, hash };
