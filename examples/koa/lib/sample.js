'use strict';
/** The article's job on the bundled photo: copy, flip, save, delete. */
const { copyFile, mkdtemp, open, rm } = require('node:fs/promises');
const os = require('node:os');
const path = require('node:path');
const { flipFile } = require('rustcluster');
const { HttpError } = require('./http-error.js');

const SAMPLE = path.join(__dirname, '..', 'public', 'sample.jpg');

/**
 * Leaves nothing behind, whatever happens: the folder is gone before the first byte is sent, and the open file with
 * the answer keeps its contents until it is closed.
 * @param {{ direction?: string, signal: AbortSignal }} options
 * @returns {Promise<{ stream: import('node:fs').ReadStream, length: number }>} the flipped photo
 * @throws what flipFile throws; HttpError 503 when the sample has not been made
 */
async function flipSample(options) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'koa-flip-'));
  try {
    const original = path.join(folder, 'original.jpg');
    const flipped = path.join(folder, 'flipped.jpg');
    await copyFile(process.env.SAMPLE ?? SAMPLE, original).catch((error) => {
      if (error.code !== 'ENOENT') throw error;
      throw new HttpError(503, 'ERR_NO_SAMPLE', 'Make the sample first: node scripts/sample-photo.mjs');
    });
    const { bytesOut } = await flipFile(original, flipped, options);
    const handle = await open(flipped);
    return { stream: handle.createReadStream(), length: bytesOut };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

module.exports = { flipSample };
