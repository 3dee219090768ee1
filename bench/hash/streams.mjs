/** Streams that hash what is written to them, several at once, as uploads do. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { lacks, ours } from '../lib/ours.mjs';
import { arriving, digestsEqual, MIB, nodeDigest, noise } from './inputs.mjs';

const CHUNK = 64 * 1024;
const STREAMS = 16;

/** @param {{ quick: boolean }} options @returns {import('../lib/suite.mjs').Suite[]} */
export function streamSuites({ quick }) {
  const each = (quick ? 1 : 4) * MIB;
  const check = digestsEqual(({ expected }) => expected);
  const all = (create) => (inputs) => Promise.all(inputs.bodies.map((chunks) => digest(chunks, create)));
  return [
    {
      name: 'streams',
      title: `SHA-256 of ${STREAMS} streams at once, ${each / MIB} MiB each in chunks of 64 KiB`,
      bytes: STREAMS * each,
      inputs: () => {
        const bodies = Array.from({ length: STREAMS }, (_, index) => chunked(noise(each), index));
        return { bodies, expected: bodies.map((chunks) => nodeDigest(Buffer.concat(chunks))) };
      },
      cases: [
        { name: 'createHash', ours: true, skip: lacks('createHash'), run: all(() => ours.createHash('sha256')), check },
        { name: 'crypto.createHash', run: all(() => createHash('sha256')), check },
      ],
      targets: [{ ours: 'createHash', peer: 'crypto.createHash', metric: 'wall', speed: 2.5 }],
      loopLimit: { p99: 5 },
      // What sixteen streams may buffer, however much flows through them.
      memoryLimit: { ours: 'createHash', of: () => 48 * MIB },
    },
  ];
}

function chunked(data, mark) {
  data.writeUInt32LE(mark);
  return Array.from({ length: data.length / CHUNK }, (_, index) => data.subarray(index * CHUNK, (index + 1) * CHUNK));
}

/** Both kinds of stream give the digest as the one chunk they put out. */
async function digest(chunks, create) {
  let hex = '';
  await pipeline(Readable.from(arriving(chunks)), create(), async (output) => {
    for await (const part of output) hex += part.toString('hex');
  });
  return hex;
}
