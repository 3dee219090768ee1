/**
 * Photos to flip, made once and kept in .cache/bench, and their pixels. sharp is loaded only where pixels are needed, so
 * that it is not in the memory of a process that measures another peer.
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ROOT } from './ours.mjs';
import { psnr } from './stats.mjs';

const CACHE = join(ROOT, '.cache', 'bench');

/**
 * A folder for the benchmarks' files, kept between runs.
 * @returns {string}
 */
export function cacheFolder() {
  mkdirSync(CACHE, { recursive: true });
  return CACHE;
}

/** @param {object} options as of `photo` @returns {string} what it is, in words */
export const describePhoto = ({ photo: own, size, height, subsampling }) =>
  own
    ? basename(own)
    : `a ${size}-megapixel JPEG, ${[...subsampling].join(':')}${height ? `, ${height} lines high` : ''}`;

/**
 * A JPEG of the user's, or a photo-like baseline one of 3:2, both sides a multiple of 16 unless its height is given.
 * @param {{ photo?: string, size: number, height?: number, subsampling: string }} options its path; megapixels; lines;
 *   '420' or '444'
 * @returns {Promise<{ path: string, bytes: Buffer }>}
 */
export async function photo({ photo: own, size, height: lines, subsampling }) {
  if (own) return { path: own, bytes: await readFile(own) };
  const aligned = (side) => Math.max(16, Math.round(side / 16) * 16);
  const width = size === 18 ? 5184 : aligned(Math.sqrt(size * 1.5e6));
  const height = lines ?? (size === 18 ? 3456 : aligned(Math.sqrt((size * 1e6) / 1.5)));
  const path = join(cacheFolder(), `photo-${width}x${height}-${subsampling}.jpg`);
  if (!existsSync(path)) {
    await writeFile(`${path}.part`, await makePhoto(width, height, subsampling));
    renameSync(`${path}.part`, path);
  }
  return { path, bytes: await readFile(path) };
}

/** The example's sample in any size; its maker writes 4:2:0, so sharp encodes the same picture in 4:4:4. */
async function makePhoto(width, height, subsampling) {
  const { paint, samplePhoto } = await import('../../scripts/sample-photo.mjs');
  if (subsampling === '420') return samplePhoto({ width, height });
  const { default: sharp } = await import('sharp');
  const { data } = paint(width, height);
  return sharp(data, { raw: { width, height, channels: 4 } })
    .removeAlpha()
    .jpeg({ quality: 95, chromaSubsampling: '4:4:4', optimiseCoding: false })
    .toBuffer();
}

/**
 * The pixels of an encoded image, by libjpeg-turbo.
 * @param {Uint8Array} bytes
 * @returns {Promise<{ data: Buffer, width: number, height: number, channels: number }>}
 */
export async function decode(bytes) {
  const { default: sharp } = await import('sharp');
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels };
}

/**
 * What a vertical flip of an image must decode to.
 * @param {Uint8Array} bytes
 * @returns {ReturnType<typeof decode>}
 */
export async function decodeFlipped(bytes) {
  const { data, width, height, channels } = await decode(bytes);
  const stride = width * channels;
  const flipped = Buffer.alloc(data.length);
  for (let y = 0; y < height; y++) data.copy(flipped, (height - 1 - y) * stride, y * stride, (y + 1) * stride);
  return { data: flipped, width, height, channels };
}

/**
 * Compares an encoded image with the pixels it should have.
 * @param {Uint8Array} bytes
 * @param {Awaited<ReturnType<typeof decode>>} expected
 * @param {number} [least] the least PSNR in dB; Infinity asks for equal pixels
 * @returns {Promise<string>} what was found
 * @throws {Error} when it is worse
 */
export async function comparePixels(bytes, expected, least) {
  const { data, width, height, channels } = await decode(bytes);
  if (width !== expected.width || height !== expected.height || channels !== expected.channels) {
    throw new Error(`${width}x${height}x${channels} where ${expected.width}x${expected.height} was due`);
  }
  const quality = psnr(data, expected.data);
  if (quality < least) throw new Error(`PSNR ${quality.toFixed(1)} dB, less than ${least}`);
  return quality === Infinity ? 'equal pixels' : `${quality.toFixed(1)} dB`;
}
