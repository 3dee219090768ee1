/** Flips one photo from top to bottom: ours without loss and through pixels, beside what else flips a JPEG. */
import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FLIPS, QUALITY } from './lib/flips.mjs';
import { hasProgram } from './lib/machine.mjs';
import { cli, lacks, lacksCli, ours } from './lib/ours.mjs';
import { cacheFolder, comparePixels, decodeFlipped, photo } from './lib/photo.mjs';

const execute = promisify(execFile);
/** In dB, of what has been decoded and encoded again: ours is promised, a peer's only shows that it flipped at all. */
const [OUR_LEAST, PEER_LEAST] = [40, 25];

export const rounds = 9;

/**
 * @param {{ size: number, subsampling: string, quick: boolean }} options
 * @returns {import('./lib/suite.mjs').Suite[]}
 */
export function suites(options) {
  const { size, subsampling } = options;
  const against = (peer, atMost, name = 'flip') => ({ ours: name, peer, metric: 'cpu', atMost });
  return [
    {
      name: `flip-${subsampling}`,
      title: `Flip a ${size}-megapixel JPEG, ${[...subsampling].join(':')}, top to bottom`,
      inputs: () => loadPhoto(options),
      cases: [...ourCases(), ...peerCases()],
      targets: [
        against('jpegtran', subsampling === '444' ? 1 / 4.5 : 1 / 3.2),
        against('jpegtran', subsampling === '444' ? 1 / 4.5 : 1 / 3.2, 'rustcluster flip'),
        against('sharp', 1 / 12),
        against('@napi-rs/image', 1 / 20),
        against('Jimp', 1 / 250),
        against('sharp', 0.6, 'flip, never lossless'),
        against('sharp', 0.6, 'flip, never lossless, q90'),
      ],
      memoryLimit: ({ bytes }) => 6 * bytes.length,
    },
  ];
}

async function loadPhoto(options) {
  const { path, bytes } = await photo(options);
  let reference;
  // Decoded on demand: a process that measures memory must not hold it.
  const expected = () => {
    reference ??= decodeFlipped(bytes);
    return reference;
  };
  return { path, bytes, expected, target: (name) => join(cacheFolder(), `flipped-${process.pid}-${name}.jpg`) };
}

const within = (least) => async (output, inputs) => {
  const found = await comparePixels(output, await inputs.expected(), least);
  return `${found}, ${(output.length / 2 ** 20).toFixed(2)} MiB`;
};
const exact = within(Number.POSITIVE_INFINITY);

function ourCases() {
  const skip = lacks('flip');
  return [
    { name: 'flip', ours: true, skip, run: ({ bytes }) => ours.flip(bytes), check: exact },
    {
      name: 'flipFile',
      ours: true,
      skip: lacks('flipFile'),
      setup: ({ target }) => target('file'),
      run: ({ path }, destination) => ours.flipFile(path, destination),
      check: async (_info, inputs, destination) => exact(await readFile(destination), inputs),
      teardown: remove,
    },
    {
      name: 'flip, never lossless',
      ours: true,
      skip,
      run: ({ bytes }) => ours.flip(bytes, { lossless: 'never' }),
      check: within(OUR_LEAST),
    },
    {
      name: 'flip, never lossless, q90',
      ours: true,
      skip,
      run: ({ bytes }) => ours.flip(bytes, { lossless: 'never', quality: QUALITY }),
      check: within(OUR_LEAST),
    },
    programCase('rustcluster flip', lacks('flipFile') || lacksCli(), (from, to) => cli('flip', from, to), true),
  ];
}

function peerCases() {
  return [
    programCase(
      'jpegtran',
      !hasProgram('jpegtran') && 'jpegtran is not installed (Debian: libjpeg-turbo-progs)',
      (from, to) => ['jpegtran', '-flip', 'vertical', '-copy', 'all', '-outfile', to, from],
    ),
    {
      name: 'node, doing nothing',
      program: () => [process.execPath, '-e', '0'],
      run: () => execute(process.execPath, ['-e', '0']),
      check: () => 'what starting Node costs',
    },
    ...Object.entries(FLIPS).map(([name, load]) => ({
      name,
      rounds: name === 'Jimp' ? 3 : undefined,
      setup: load,
      run: ({ bytes }, flip) => flip(bytes),
      check: within(PEER_LEAST),
    })),
  ];
}

const remove = (path) => rm(path, { force: true });

/** A program that reads a file and writes another. */
function programCase(name, skip, command, isOurs = false) {
  return {
    name,
    ours: isOurs,
    skip: skip || (!hasProgram('bash') && 'bash, which measures programs, is not installed'),
    setup: ({ target }) => target(name.split(' ')[0]),
    program: ({ path }, destination) => command(path, destination),
    run: async ({ path }, destination) => {
      const [file, ...args] = command(path, destination);
      await execute(file, args);
      return readFile(destination);
    },
    check: exact,
    teardown: remove,
  };
}
