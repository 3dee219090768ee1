/** gzip of one buffer, one file and one stream, beside node:zlib. */
import { equal } from 'node:assert/strict';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { digestOfGunzipped, packageText, text, textFile } from './gzip/inputs.mjs';
import { arriving } from './hash/inputs.mjs';
import { lacks, ours } from './lib/ours.mjs';
import { cacheFolder } from './lib/photo.mjs';

const MIB = 2 ** 20;
const LEVEL = 6;
const CHUNK = 64 * 1024;
const gunzip = promisify(zlib.gunzip);
const zlibGzip = promisify(zlib.gzip);

export const rounds = 5;

/**
 * @param {{ quick: boolean }} options
 * @returns {import('./lib/suite.mjs').Suite[]}
 */
export const suites = ({ quick }) => [
  buffer('buffer', 'made text', (quick ? 2 : 16) * MIB, text),
  buffer('buffer-real', 'code and documents of packages', (quick ? 2 : 16) * MIB, packageText),
  stream((quick ? 2 : 64) * MIB),
  file((quick ? 8 : 256) * MIB),
];

const share = (length, whole) => `${((100 * length) / whole).toFixed(2)} % of the input`;

const unpacksTo = (data) => async (output) => {
  const unpacked = await gunzip(output);
  equal(Buffer.compare(unpacked, data), 0, 'gunzip gives other bytes');
  return share(output.length, data.length);
};

/** The ratio depends on the text: made text has few words, and repeats them far apart. */
function buffer(name, what, bytes, load) {
  const check = (output, { data }) => unpacksTo(data)(output);
  return {
    name,
    title: `gzip -${LEVEL} of one buffer of ${bytes / MIB} MiB, ${what} (one core: --one-core)`,
    bytes,
    inputs: () => ({ data: load(bytes) }),
    cases: [
      { name: 'gzip', ours: true, skip: lacks('gzip'), run: ({ data }) => ours.gzip(data, { level: LEVEL }), check },
      { name: 'zlib.gzip', run: ({ data }) => zlibGzip(data, { level: LEVEL }), check },
      { name: 'zlib.gzipSync', blocking: true, run: ({ data }) => zlib.gzipSync(data, { level: LEVEL }), check },
    ],
    targets: ['zlib.gzip', 'zlib.gzipSync'].map((peer) => ({ ours: 'gzip', peer, metric: 'wall', speed: 1.5 })),
    size: { peer: 'zlib.gzip', of: (output) => output.length },
    loopLimit: { p99: 5 },
  };
}

function stream(bytes) {
  const check = (output, { data }) => unpacksTo(data)(output);
  const through = (create) => async (inputs) => {
    const parts = [];
    await pipeline(Readable.from(arriving(inputs.chunks)), create(), async (output) => {
      for await (const part of output) parts.push(part);
    });
    return Buffer.concat(parts);
  };
  return {
    name: 'stream',
    title: `gzip -${LEVEL} of ${bytes / MIB} MiB of text through a stream, in chunks of 64 KiB`,
    bytes,
    inputs: () => {
      const data = text(bytes);
      const starts = Array.from({ length: bytes / CHUNK }, (_, index) => index * CHUNK);
      return { data, chunks: starts.map((start) => data.subarray(start, start + CHUNK)) };
    },
    cases: [
      {
        name: 'createGzip',
        ours: true,
        skip: lacks('createGzip'),
        run: through(() => ours.createGzip({ level: LEVEL })),
        check,
      },
      { name: 'zlib.createGzip', run: through(() => zlib.createGzip({ level: LEVEL })), check },
    ],
    size: { peer: 'zlib.createGzip', of: (output) => output.length },
    loopLimit: { p99: 5 },
  };
}

function file(bytes) {
  const target = (name) => () => join(cacheFolder(), `${process.pid}-${name}.gz`);
  const check = async (_output, { path, digest }, destination) => {
    equal(await digestOfGunzipped(destination), digest());
    return share((await stat(destination)).size, (await stat(path)).size);
  };
  const teardown = (destination) => rm(destination, { force: true });
  return {
    name: 'file',
    title: `gzip -${LEVEL} of one cached text file of ${bytes / MIB} MiB`,
    bytes,
    inputs: () => textFile(bytes),
    cases: [
      {
        name: 'gzipFile',
        ours: true,
        skip: lacks('gzipFile'),
        setup: target('ours'),
        run: ({ path }, destination) => ours.gzipFile(path, destination, { level: LEVEL }),
        check,
        teardown,
      },
      {
        name: 'zlib streams',
        // Ten seconds each.
        rounds: 2,
        setup: target('zlib'),
        run: ({ path }, destination) =>
          pipeline(createReadStream(path), zlib.createGzip({ level: LEVEL }), createWriteStream(destination)),
        check,
        teardown,
      },
    ],
    targets: [{ ours: 'gzipFile', peer: 'zlib streams', metric: 'wall', speed: 3 }],
    memoryLimit: { ours: 'gzipFile', of: () => 64 * MIB },
    size: { peer: 'zlib streams', of: async (_output, destination) => (await stat(destination)).size },
    loopLimit: { p99: 5 },
  };
}
