'use strict';
// Every format, beside ImageMagick's -flip and -flop: exactly equal where the format is lossless.
const assert = require('node:assert/strict');
const { flip } = require('rustcluster');
const { command, convert, pixels, psnr } = require('../fixtures/imagemagick.js');

const OPERATIONS = { vertical: ['-flip'], horizontal: ['-flop'], both: ['-flip', '-flop'] };
const PHOTO = ['-size', '203x117', '-seed', '7', 'plasma:tomato-steelblue', '-blur', '0x1'];

/** name -> [format, arguments that make the input]. */
const EXACT = {
  'PNG, 8 bits': ['png', [...PHOTO, '-depth', '8', 'png24:-']],
  'PNG, 16 bits': ['png', [...PHOTO, '-depth', '16', 'png48:-']],
  'PNG, alpha': ['png', [...PHOTO, '-channel', 'A', '-fx', 'i/w', '-depth', '8', 'png32:-']],
  'PNG, 16 bits and alpha': ['png', [...PHOTO, '-channel', 'A', '-fx', 'j/h', '-depth', '16', 'png64:-']],
  'PNG, palette': ['png', [...PHOTO, '-colors', '60', 'png8:-']],
  'PNG, one bit': ['png', [...PHOTO, '-threshold', '50%', '-type', 'bilevel', '-depth', '1', 'png:-']],
  'PNG, gray': ['png', [...PHOTO, '-colorspace', 'gray', '-depth', '8', 'png:-']],
  'PNG, interlaced': ['png', [...PHOTO, '-interlace', 'PNG', '-depth', '8', 'png24:-']],
  'BMP, 24 bits': ['bmp', [...PHOTO, 'bmp3:-']],
  'BMP, palette': ['bmp', [...PHOTO, '-colors', '200', '-type', 'palette', 'bmp3:-']],
  'BMP, alpha': ['bmp', [...PHOTO, '-channel', 'A', '-fx', 'i/w', 'bmp:-']],
  'TIFF, LZW': ['tiff', [...PHOTO, '-depth', '8', '-compress', 'lzw', 'tiff:-']],
  'TIFF, deflate, 16 bits': ['tiff', [...PHOTO, '-depth', '16', '-compress', 'zip', 'tiff:-']],
  'TIFF, plain gray': ['tiff', [...PHOTO, '-colorspace', 'gray', '-depth', '8', '-compress', 'none', 'tiff:-']],
  'TIFF, fax': ['tiff', [...PHOTO, '-threshold', '50%', '-type', 'bilevel', '-compress', 'group4', 'tiff:-']],
  GIF: ['gif', [...PHOTO, '-colors', '255', 'gif:-']],
  'WebP, lossless': ['webp', [...PHOTO, '-depth', '8', '-define', 'webp:lossless=true', 'webp:-']],
  'WebP, lossless with alpha': [
    'webp',
    [...PHOTO, '-channel', 'A', '-fx', 'i/w', '-depth', '8', '-define', 'webp:lossless=true,exact=true', 'webp:-'],
  ],
};

describe('flip beside ImageMagick', () => {
  before(function () {
    if (command === undefined) {
      console.log('      ImageMagick is not installed: its comparisons are skipped');
      this.skip();
    }
  });

  for (const [name, [format, make]] of Object.entries(EXACT)) {
    it(`${name}: equal in every sample, in all three directions`, async () => {
      const input = convert(undefined, make);
      for (const [direction, operations] of Object.entries(OPERATIONS)) {
        const flipped = await flip(input, { direction, lossless: 'require' });
        const [ours, theirs] = [pixels(flipped, format), pixels(input, format, ...operations)];
        assert.equal(ours.length, theirs.length, direction);
        assert.ok(ours.equals(theirs), `${direction}: samples differ`);
      }
    });
  }

  it('a TIFF with JPEG inside: within what two decoders differ by', async () => {
    const input = convert(undefined, [...PHOTO, '-compress', 'jpeg', '-quality', '95', 'tiff:-']);
    for (const [direction, operations] of Object.entries(OPERATIONS)) {
      const flipped = await flip(input, { direction });
      assert.ok(psnr(pixels(flipped, 'tiff'), pixels(input, 'tiff', ...operations)) >= 40, direction);
    }
  });

  it('an animated GIF: every frame, its place and its delay', async () => {
    const frames = ['-size', '60x40', 'xc:red', '(', '-size', '20x10', 'xc:blue', '-repage', '60x40+5+3', ')'];
    const input = convert(undefined, ['-delay', '7', ...frames, '-loop', '3', 'gif:-']);
    const info = (gif) => String(convert(gif, ['gif:-', '-format', '%T %D %s %[scene] ', 'info:-']));
    for (const [direction, operations] of Object.entries(OPERATIONS)) {
      const flipped = await flip(input, { direction });
      const ours = pixels(flipped, 'gif', '-coalesce');
      const theirs = pixels(input, 'gif', '-coalesce', ...operations);
      assert.ok(ours.equals(theirs), `${direction}: frames differ`);
      assert.equal(info(flipped), info(input));
    }
  });

  const JPEGS = {
    '4:2:0': ['-sampling-factor', '2x2'],
    '4:2:2': ['-sampling-factor', '2x1'],
    '4:4:4': ['-sampling-factor', '1x1'],
    gray: ['-colorspace', 'gray'],
    progressive: ['-interlace', 'JPEG'],
  };
  for (const [name, options] of Object.entries(JPEGS)) {
    it(`JPEG, ${name}, through pixels at quality 90: PSNR of 40 dB at least`, async () => {
      const input = convert(undefined, [...PHOTO, '-blur', '0x2', '-quality', '95', ...options, 'jpeg:-']);
      for (const [direction, operations] of Object.entries(OPERATIONS)) {
        const flipped = await flip(input, { direction, lossless: 'never', quality: 90 });
        const ratio = psnr(pixels(flipped, 'jpeg'), pixels(input, 'jpeg', ...operations));
        assert.ok(ratio >= 40, `${direction}: ${ratio.toFixed(1)} dB`);
      }
    });
  }
});
