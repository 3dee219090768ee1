'use strict';
const { createHash } = require('node:crypto');
const { pipeline } = require('node:stream/promises');

/** POST /hash: SHA-256 of the body, which may be of any size: it streams through and is never held. */
async function hash(ctx) {
  const sha256 = createHash('sha256');
  await pipeline(ctx.req, sha256);
  ctx.body = { algorithm: 'sha256', hash: sha256.digest('hex'), worker: process.pid };
}

module.exports = { hash };
