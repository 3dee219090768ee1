'use strict';
const { pipeline } = require('node:stream/promises');
const { createHash } = require('rustcluster');

/** POST /hash: SHA-256 of the body, which may be of any size: it streams through and is never held. */
async function hash(ctx) {
  // Off the event loop, with back-pressure: the client sends as fast as the hash is made.
  const [hash] = await pipeline(ctx.req, createHash('sha256').setEncoding('hex'), (digest) => digest.toArray());
  ctx.body = { algorithm: 'sha256', hash, worker: process.pid };
}

module.exports = { hash };
