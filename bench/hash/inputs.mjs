/** What is hashed, made anew in every run and always the same, and what its digests must be. */
import { deepEqual } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { cacheFolder } from '../lib/photo.mjs';

export const MIB = 2 ** 20;

/** @param {Uint8Array} data @returns {string} the digest by node:crypto */
export const nodeDigest = (data) => createHash('sha256').update(data).digest('hex');

/** @param {number} seed not 0 @returns {() => number} the next 32 bits */
export function random(seed = 0x2545f491) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** @param {number} length a multiple of 4 @returns {Buffer} noise */
export function noise(length) {
  const words = new Uint32Array(length / 4);
  const next = random();
  for (let i = 0; i < words.length; i++) words[i] = next();
  return Buffer.from(words.buffer);
}

/** @param {number[]} lengths @returns {Buffer[]} a Buffer of its own for each */
export function messages(lengths) {
  const source = noise(MIB);
  const next = random(77);
  return lengths.map((length) => {
    const start = next() % (source.length - length);
    return Buffer.from(source.subarray(start, start + length));
  });
}

/** @param {number} count @param {number} length @returns {string[]} paths of files of that length, in the page cache */
export function files(count, length) {
  const data = noise(length);
  return Array.from({ length: count }, (_, index) => {
    const path = join(cacheFolder(), `noise-${length}-${index}.bin`);
    if (!existsSync(path) || statSync(path).size !== length) {
      data.writeUInt32LE(index);
      writeFileSync(`${path}.part`, data);
      renameSync(`${path}.part`, path);
    }
    return path;
  });
}

/** @param {(inputs: any) => any} expected @returns {(output: any, inputs: any) => string} a case's check */
export const digestsEqual = (expected) => (output, inputs) => {
  deepEqual(output, expected(inputs));
  return 'equal digests';
};

/**
 * Chunks as a socket or a file would bring them: one in a turn of the event loop.
 * @param {Buffer[]} chunks
 * @returns {AsyncGenerator<Buffer>}
 */
export async function* arriving(chunks) {
  for (const chunk of chunks) {
    await nextTurn();
    yield chunk;
  }
}
