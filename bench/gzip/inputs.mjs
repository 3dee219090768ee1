/** Text to compress: made-up words in the frequencies of a natural language, always the same; and what people write. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { random } from '../hash/inputs.mjs';
import { ROOT } from '../lib/ours.mjs';
import { cacheFolder } from '../lib/photo.mjs';

const WORDS = 6000;
const PART = 2 ** 20;
const SYLLABLES = [
  'ba',
  'co',
  'di',
  'fe',
  'gu',
  'ha',
  'in',
  'jo',
  'ka',
  'le',
  'mi',
  'no',
  'or',
  'pu',
  'qua',
  're',
  'sta',
];

/** Short words first: they are the frequent ones, as in any language. */
function vocabulary() {
  const next = random(1234567);
  return Array.from({ length: WORDS }, (_, rank) => {
    const syllables = 1 + Math.floor(Math.log2(rank + 1) / 4) + (next() % 2);
    return Array.from({ length: syllables }, () => SYLLABLES[next() % SYLLABLES.length]).join('');
  });
}

/**
 * @param {number} length in bytes
 * @param {number} [seed] not 0
 * @returns {Buffer}
 */
export function text(length, seed = 99) {
  const words = vocabulary();
  const next = random(seed);
  const data = Buffer.alloc(length);
  let at = 0;
  let inSentence = 0;
  while (at < length) {
    // The rank is distributed as one over itself (Zipf's law).
    const word = words[Math.floor(WORDS ** (next() / 2 ** 32)) - 1];
    inSentence++;
    const ends = next() % 12 < 1 && inSentence > 3;
    if (ends) inSentence = 0;
    at += data.write(`${word}${ends ? (next() % 4 === 0 ? '.\n' : '. ') : ' '}`, at, 'latin1');
    if (next() % 64 === 0) at += data.write(`${next() % 10_000} `, at, 'latin1');
  }
  return data;
}

/**
 * What people write: the code and the documents of this package's development dependencies, as often as it takes.
 * @param {number} length in bytes
 * @returns {Buffer}
 */
export function packageText(length) {
  const folder = `${ROOT}/node_modules`;
  const parts = [];
  let found = 0;
  for (const path of readdirSync(folder, { recursive: true }).sort()) {
    if (found >= length) break;
    if (!/\.(js|md|json|ts)$/.test(path)) continue;
    const file = join(folder, path);
    if (!statSync(file).isFile()) continue;
    parts.push(readFileSync(file));
    found += parts.at(-1).length;
  }
  const all = Buffer.concat(parts);
  return Buffer.alloc(length, all);
}

/**
 * A file of text, kept between runs.
 * @param {number} length in bytes, a multiple of 1 MiB
 * @returns {{ path: string, digest: () => string }} the digest of its content
 */
export function textFile(length) {
  const path = join(cacheFolder(), `text-${length}.txt`);
  if (!existsSync(path)) {
    const file = openSync(`${path}.part`, 'w');
    for (let part = 0; part < length / PART; part++) writeSync(file, text(PART, 1000 + part));
    closeSync(file);
    renameSync(`${path}.part`, path);
  }
  return { path, digest: () => createHash('sha256').update(readFileSync(path)).digest('hex') };
}

/** @param {string} path of a gzip file @returns {Promise<string>} the digest of what it unpacks to */
export async function digestOfGunzipped(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), createGunzip(), hash);
  return hash.digest('hex');
}
