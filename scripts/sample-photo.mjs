/**
 * Makes the sample photo of the Koa example: 18 megapixels, 6 to 7 MB, as the article's. It has what codecs find in
 * photos: smooth light, detail at every scale, hard edges and grain. The same on every machine.
 *
 * `node scripts/sample-photo.mjs` writes examples/koa/public/sample.jpg unless it is there.
 */
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Where the sample lives. */
export const SAMPLE = fileURLToPath(new URL('../examples/koa/public/sample.jpg', import.meta.url));

/** A hash of two integers that is as good as random: 0 to 1. */
function random(x, y, seed) {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(seed, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

/** Adds one octave of value noise to a row: random values on a lattice of `cell` pixels, smoothly in between. */
function addOctave(row, y, cell, amplitude, seed) {
  const gy = Math.floor(y / cell);
  const ty = y / cell - gy;
  const sy = ty * ty * (3 - 2 * ty);
  const column = (gx) => {
    const top = random(gx, gy, seed);
    return top + (random(gx, gy + 1, seed) - top) * sy;
  };
  let right = column(0);
  for (let gx = 0; gx * cell < row.length; gx += 1) {
    const left = right;
    right = column(gx + 1);
    const end = Math.min(row.length, (gx + 1) * cell);
    for (let x = gx * cell; x < end; x += 1) {
      const t = x / cell - gx;
      row[x] += amplitude * (left + (right - left) * t * t * (3 - 2 * t) - 0.5);
    }
  }
}

/** How high the skyline is at a column, in parts of the height: a ridge with flat roofs, hence the hard edges. */
const skyline = (x, unit) => 0.45 + 0.12 * random(Math.floor(x / (37 * unit)), 7, 3) + 0.05 * Math.sin(x / (90 * unit));

/**
 * The picture before it is encoded.
 * @param {number} width pixels
 * @param {number} height pixels
 * @returns {{ data: Uint8ClampedArray, width: number, height: number }} RGBA
 */
export function paint(width, height) {
  const data = new Uint8ClampedArray(width * height * 4);
  const unit = width / 1000;
  const roofs = Float32Array.from({ length: width }, (_, x) => skyline(x, unit) * height);
  const coarse = new Float32Array(width);
  const fine = new Float32Array(width);
  const [large, medium, small] = [160, 40, 9].map((cell) => Math.max(2, Math.round(cell * unit)));
  let state = 0x12345678;
  for (let y = 0; y < height; y += 1) {
    coarse.fill(0);
    fine.fill(0);
    addOctave(coarse, y, large, 90, 11);
    addOctave(coarse, y, medium, 40, 12);
    addOctave(fine, y, small, 46, 13);
    addOctave(fine, y, 12, 40, 14);
    addOctave(fine, y, 5, 56, 15);
    addOctave(fine, y, 3, 56, 16);
    const light = 1 - y / height;
    for (let x = 0, i = y * width * 4; x < width; x += 1, i += 4) {
      // Grain, by xorshift: one number a pixel, its bytes for the channels.
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      const grain = ((state & 15) - 7.5) * 1.1;
      const sky = y < roofs[x];
      const value = (sky ? 110 + 100 * light + 0.5 * coarse[x] : 70 + coarse[x] + fine[x]) + grain;
      data[i] = value + (sky ? -30 : 14 + 0.3 * fine[x]);
      data[i + 1] = value;
      data[i + 2] = value + (sky ? 34 : -18) + 0.2 * coarse[x];
      data[i + 3] = 255;
    }
  }
  return { data, width, height };
}

/** mozjpeg, as WebAssembly: the package fetches its wasm file as browsers do, so Node hands it over. */
async function loadEncoder() {
  const folder = path.dirname(createRequire(import.meta.url).resolve('@jsquash/jpeg/encode.js'));
  const { default: encode, init } = await import(pathToFileURL(path.join(folder, 'encode.js')).href);
  const wasm = await readFile(path.join(folder, 'codec/enc/mozjpeg_enc.wasm'));
  await init(await WebAssembly.compile(wasm));
  return encode;
}

/**
 * Makes a sample: a baseline JPEG, 4:2:0.
 * @param {{ width?: number, height?: number, quality?: number }} [options] 5184 x 3456 and 6 to 7 MB unless told
 * @returns {Promise<Buffer>}
 */
export async function samplePhoto({ width = 5184, height = 3456, quality = 95 } = {}) {
  const encode = await loadEncoder();
  const options = { quality, progressive: false, optimize_coding: false, auto_subsample: false, chroma_subsample: 2 };
  return Buffer.from(await encode(paint(width, height), options));
}

/**
 * Writes the sample where there is none; whole or not at all, also when two processes do so at once.
 * @param {string} [file] the example's own unless told
 * @returns {Promise<boolean>} whether it had to be made
 */
export async function ensureSample(file = SAMPLE) {
  if (await stat(file).catch(() => undefined)) return false;
  const temporary = `${file}.${process.pid}.tmp`;
  await mkdir(path.dirname(file), { recursive: true });
  try {
    await writeFile(temporary, await samplePhoto());
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
  return true;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (await ensureSample()) process.stdout.write(`Made ${path.relative(process.cwd(), SAMPLE)}\n`);
}
