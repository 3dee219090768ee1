'use strict';
/** `rustcluster flip`: flips an image file. */
const { Option } = require('commander');

function define(program, act) {
  return program
    .command('flip')
    .description('Flip an image file; <out> is written whole or not at all')
    .argument('<in>', 'JPEG, PNG, WebP, GIF, BMP or TIFF')
    .argument('<out>', 'the file to write; may be <in>')
    .addOption(
      new Option('-d, --direction <way>', 'which way').choices(['vertical', 'horizontal', 'both']).default('vertical'),
    )
    .action(act(flip));
}

async function flip(source, destination, { direction }) {
  // Loaded here: a server is started without the kernels.
  const { flipFile } = require('../kernels/index.js');
  const { format, width, height, bytesIn, bytesOut } = await flipFile(source, destination, { direction });
  process.stdout.write(`${destination}: ${format} ${width}x${height}, ${bytesIn} -> ${bytesOut} bytes\n`);
}

module.exports = { define };
