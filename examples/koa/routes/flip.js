'use strict';
const { flip: flipBytes } = require('rustcluster');
const { clientSignal } = require('../lib/abort.js');
const { readImage } = require('../lib/body.js');
const { imageType } = require('../lib/image-type.js');
const { flipSample } = require('../lib/sample.js');

/**
 * POST /flip: the image in the body, flipped; without a body, the bundled sample.
 * `?direction=` vertical (as in the article), horizontal or both.
 */
async function flip(ctx) {
  const options = { direction: ctx.query.direction, signal: clientSignal(ctx) };
  const image = await readImage(ctx);
  if (image.length > 0) {
    const flipped = await flipBytes(image, options);
    ctx.type = imageType(flipped);
    ctx.body = flipped;
    return;
  }
  const { stream, length } = await flipSample(options);
  ctx.type = 'image/jpeg';
  ctx.length = length;
  ctx.body = stream;
}

module.exports = { flip };
