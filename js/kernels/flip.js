'use strict';
const { abortSignal, bytes, integer, object, oneOf, path } = require('../options.js');
const { run } = require('./jobs.js');

const DIRECTIONS = ['vertical', 'horizontal', 'both'];
const LOSSLESS = ['auto', 'require', 'never'];
/** The limit sharp has: 0x3FFF x 0x3FFF pixels. */
const MAX_PIXELS = 0x3fff * 0x3fff;

function parse(options) {
  const { direction, lossless, quality, maxPixels, signal } = object('options', options);
  return {
    signal: abortSignal('options.signal', signal),
    native: {
      direction: oneOf('options.direction', direction, DIRECTIONS, 'vertical'),
      lossless: oneOf('options.lossless', lossless, LOSSLESS, 'auto'),
      quality: integer('options.quality', quality, { min: 1, max: 100 }),
      maxPixels: integer('options.maxPixels', maxPixels, { min: 1, fallback: MAX_PIXELS }),
    },
  };
}

/**
 * Mirrors an encoded image (JPEG, PNG, WebP, GIF, BMP or TIFF) as people see it, and returns it in the same format
 * with its metadata. The work is done on Rust threads. Do not write to `input`, or transfer it, before the promise
 * settles: large inputs are not copied.
 *
 * @example const upsideDown = await flip(await readFile('photo.jpg'));
 * @param {Uint8Array | ArrayBuffer} input the encoded image
 * @param {object} [options]
 * @param {'vertical' | 'horizontal' | 'both'} [options.direction='vertical'] vertical: top and bottom change places
 * @param {'auto' | 'require' | 'never'} [options.lossless='auto'] auto: without loss where the file allows it, a
 *   JPEG's luma alone where only that does
 * @param {number} [options.quality] 1 to 100, of a JPEG that goes through pixels; default: the source's own tables
 * @param {number} [options.maxPixels=268402689] refuse larger pictures, judged by the header, all frames together
 * @param {AbortSignal} [options.signal]
 * @returns {Promise<Buffer>} the encoded image
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE, ERR_IMAGE_CORRUPT, ERR_IMAGE_UNSUPPORTED,
 *   ERR_IMAGE_TOO_LARGE, ERR_NOT_LOSSLESS, ERR_QUEUE_FULL, ABORT_ERR: all as rejections
 */
async function flip(input, options) {
  const data = bytes('input', input);
  const parsed = parse(options);
  return await run((desk, id) => desk.flip(id, data, parsed.native), { signal: parsed.signal, caller: flip });
}

/**
 * Flips the image file `source` into `destination`, which may be the same file. The destination is replaced as a
 * whole, by a rename: an error, an abort or a killed process leaves what was there. What is no regular file (a device, a
 * pipe) is not replaced; of a symbolic link it is the link that is.
 *
 * @param {string | URL} source path or file URL
 * @param {string | URL} destination path or file URL
 * @param {object} [options] as for `flip`
 * @returns {Promise<{ format: string, width: number, height: number, lossless: boolean, exact: 'all' | 'part' | 'none',
 *   bytesIn: number, bytesOut: number }>} width and height in stored pixels; lossless: no sample value was lost; exact: what
 *   came through exactly, part being a JPEG's luma while its chroma was coded anew
 * @throws as `flip`, and Node's system errors (ENOENT, EISDIR, EACCES, ENOSPC, ...)
 */
async function flipFile(source, destination, options) {
  const from = path('source', source);
  const to = path('destination', destination);
  const parsed = parse(options);
  return await run((desk, id) => desk.flipFile(id, from, to, parsed.native), {
    signal: parsed.signal,
    caller: flipFile,
  });
}

module.exports = { flip, flipFile };
