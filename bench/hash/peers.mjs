/** The ways of hashing that ours is measured against. */
import crypto from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { nodeDigest } from './inputs.mjs';

const WORKER = fileURLToPath(new URL('../fixtures/hash-worker.mjs', import.meta.url));

/** Why `crypto.hash` is skipped, if it is. */
export const lacksCryptoHash = !crypto.hash && 'this Node has no crypto.hash (20.12, 21.7)';

/** @param {Uint8Array} data @returns {string} */
export const oneShot = (data) => crypto.hash('sha256', data, 'hex');

/** @param {string} path @returns {Promise<string>} as one does it with Node's streams */
export async function streamed(path) {
  const hash = crypto.createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** @returns {Promise<object>} hash-wasm's SHA-256 */
export const wasm = async () => (await import('hash-wasm')).createSHA256();

/** A pool of worker threads, one for each core, as `setup` and `teardown` of a case. */
export const pool = {
  setup: async () => {
    const { default: Piscina } = await import('piscina');
    return new Piscina({ filename: WORKER });
  },
  teardown: (piscina) => piscina.destroy(),
};

/**
 * The peers' cases for a list of messages, one digest each.
 * @param {(inputs: any) => Uint8Array[]} list
 * @param {{ check: Function, wasmRounds?: number }} options
 * @returns {import('../lib/suite.mjs').Case[]}
 */
export const loops = (list, { check }) => [
  { name: 'crypto.createHash', blocking: true, run: (inputs) => list(inputs).map(nodeDigest), check },
  {
    name: 'crypto.hash',
    blocking: true,
    skip: lacksCryptoHash,
    run: (inputs) => list(inputs).map(oneShot),
    check,
  },
  {
    name: 'hash-wasm',
    blocking: true,
    rounds: 3,
    setup: wasm,
    run: (inputs, sha) => list(inputs).map((data) => sha.init().update(data).digest('hex')),
    check,
  },
];
