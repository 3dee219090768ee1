'use strict';
/** What an image is, by its first bytes; what the client says of it counts for nothing. */
const signatures = [
  ['image/jpeg', (b) => b.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]))],
  ['image/png', (b) => b.subarray(0, 8).toString('latin1') === '\x89PNG\r\n\x1a\n'],
  ['image/gif', (b) => /^GIF8[79]a$/.test(b.toString('latin1', 0, 6))],
  ['image/webp', (b) => b.toString('latin1', 0, 4) === 'RIFF' && b.toString('latin1', 8, 12) === 'WEBP'],
  ['image/bmp', (b) => b.toString('latin1', 0, 2) === 'BM'],
  ['image/tiff', (b) => ['II*\0', 'MM\0*'].includes(b.toString('latin1', 0, 4))],
];

/**
 * @param {Buffer} bytes the image, or at least its first 12 bytes
 * @returns {string} a media type; application/octet-stream for anything unknown
 */
function imageType(bytes) {
  return signatures.find(([, matches]) => matches(bytes))?.[0] ?? 'application/octet-stream';
}

module.exports = { imageType };
