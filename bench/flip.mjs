/** Flips one photo from top to bottom: ours without loss and through pixels, beside what else flips a JPEG. */
import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FLIPS, QUALITY } from './lib/flips.mjs';
import { hasProgram } from './lib/machine.mjs';
import { cli, lacks, lacksCli, ours } from './lib/ours.mjs';
import { cacheFolder, comparePixels, decodeFlipped, describePhoto, photo } from './lib/photo.mjs';
import { buildExample, lacksExample } from './lib/rust.mjs';

const execute = promisify(execFile);
/**
 * In dB, of what has been decoded and encoded again: enough to show that it was flipped. How much is lost the table says,
 * and it depends on the photo's grain.
 */
const LEAST = 25;
/** The crate's own program, which has no Node to start: what may be compared with jpegtran as a whole. */
const PROGRAM = 'flip-lossless';

export const rounds = 9;

/**
 * @param {{ size: number, subsampling: string, quick: boolean }} options
 * @returns {import('./lib/suite.mjs').Suite[]}
 */
export function suites(options) {
  const { subsampling, height = 16 } = options;
  // What jpegtran and our program leave to others: jpegtran keeps the lines of the MCU that is not whole where they are.
  const isWhole = height % (subsampling === '444' ? 8 : 16) === 0;
  const bitstream = isWhole ? false : 'the height is not whole MCUs';
  const against = (peer, atMost, name = 'flip') => ({ ours: name, peer, metric: 'cpu', atMost });
  const jpegtran = subsampling === '444' ? 1 / 4.5 : 1 / 3.2;
  const lossless = [
    against('jpegtran', jpegtran),
    against('jpegtran', jpegtran, PROGRAM),
    against('sharp', 1 / 12),
    against('@napi-rs/image', 1 / 20),
    against('Jimp', 1 / 250),
  ];
  return [
    {
      name: `flip-${subsampling}`,
      title: `Flip ${describePhoto(options)}, top to bottom`,
      inputs: () => loadPhoto(options),
      cases: [...ourCases(bitstream), ...peerCases(bitstream)],
      targets: [
        ...(isWhole ? lossless : [against('flip, never lossless', 0.45)]),
        against('sharp', 0.6, 'flip, never lossless'),
        against('sharp', 0.6, 'flip, never lossless, q90'),
      ],
      memoryLimit: { ours: 'flip', of: ({ bytes }) => 6 * bytes.length },
      equal: isWhole ? ['flip', 'flipFile', PROGRAM] : [],
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

function ourCases(bitstream) {
  const skip = lacks('flip');
  return [
    { name: 'flip', ours: true, skip, run: ({ bytes }) => ours.flip(bytes), check: within(LEAST) },
    {
      name: 'flipFile',
      ours: true,
      skip: lacks('flipFile'),
      setup: ({ target }) => target('file'),
      run: ({ path }, destination) => ours.flipFile(path, destination),
      check: async (_info, inputs, destination) => within(LEAST)(await readFile(destination), inputs),
      teardown: remove,
    },
    {
      name: 'flip, never lossless',
      ours: true,
      skip,
      run: ({ bytes }) => ours.flip(bytes, { lossless: 'never' }),
      check: within(LEAST),
    },
    {
      name: 'flip, never lossless, q90',
      ours: true,
      skip,
      run: ({ bytes }) => ours.flip(bytes, { lossless: 'never', quality: QUALITY }),
      check: within(LEAST),
    },
    programCase({
      name: PROGRAM,
      ours: true,
      skip: bitstream || lacksExample(PROGRAM),
      prepare: () => buildExample(PROGRAM),
      command: (from, to, program) => [program, from, to],
    }),
    programCase({
      name: 'rustcluster flip',
      ours: true,
      skip: lacks('flipFile') || lacksCli(),
      command: (from, to) => cli('flip', from, to),
      check: within(LEAST),
    }),
  ];
}

function peerCases(bitstream) {
  return [
    programCase({
      name: 'jpegtran',
      skip: bitstream || (!hasProgram('jpegtran') && 'jpegtran is not installed (Debian: libjpeg-turbo-progs)'),
      command: (from, to) => ['jpegtran', '-flip', 'vertical', '-copy', 'all', '-outfile', to, from],
    }),
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
      check: within(LEAST),
    })),
  ];
}

const remove = (path) => rm(path, { force: true });

/** A program that reads a file and writes another; `prepare` answers what its command line needs beside the two. */
function programCase({ prepare = () => undefined, command, check = exact, ...one }) {
  const line = ({ path }, { destination, prepared }) => command(path, destination, prepared);
  return {
    ...one,
    skip: one.skip || (!hasProgram('bash') && 'bash, which measures programs, is not installed'),
    setup: async ({ target }) => ({ destination: target(one.name.split(' ')[0]), prepared: await prepare() }),
    program: line,
    run: async (inputs, state) => {
      const [file, ...args] = line(inputs, state);
      await execute(file, args);
      return readFile(state.destination);
    },
    check,
    teardown: ({ destination }) => remove(destination),
  };
}
