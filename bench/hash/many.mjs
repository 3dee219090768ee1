/** Many messages at once: where the lanes of the CPU can be filled. */
import { lacks, ours } from '../lib/ours.mjs';
import { digestsEqual, files, MIB, messages, nodeDigest, random } from './inputs.mjs';
import { loops, pool, streamed } from './peers.mjs';

const KIB = 1024;
const check = digestsEqual(({ expected }) => expected);

/** @param {{ quick: boolean }} options @returns {import('../lib/suite.mjs').Suite[]} */
export function manySuites({ quick }) {
  const share = quick ? 0.1 : 1;
  const equal = (count, length) => new Array(Math.ceil(count * share)).fill(length);
  const next = random(4242);
  const skewed = equal(1000, 0).map(() => 1 + (next() % (64 * KIB)));
  return [
    many('many-64', '10,000 x 64 B', equal(10_000, 64), 4),
    many('many-1k', '2,000 x 1 KiB', equal(2000, KIB), 6),
    many('many-64k', '256 x 64 KiB', equal(256, 64 * KIB), 6),
    many('many-skewed', '1,000 of 1 B to 64 KiB', skewed, 6),
    concurrent(quick ? 100 : 1000),
    manyFiles(quick ? 8 : 64),
  ].map((suite) => (quick ? { ...suite, title: `${suite.title} (a part: --quick)` } : suite));
}

function many(name, what, lengths, speed) {
  return {
    name,
    title: `SHA-256 of ${what} in one call`,
    bytes: lengths.reduce((sum, length) => sum + length, 0),
    inputs: () => {
      const list = messages(lengths);
      return { list, expected: list.map(nodeDigest) };
    },
    cases: [
      {
        name: 'hashMany',
        ours: true,
        skip: lacks('hashMany'),
        run: ({ list }) => ours.hashMany('sha256', list),
        check,
      },
      ...loops(({ list }) => list, { check }),
    ],
    targets: ['crypto.createHash', 'crypto.hash'].map((peer) => ({ ours: 'hashMany', peer, metric: 'wall', speed })),
    loopLimit: { p99: 5 },
  };
}

/** Calls made in one turn of the event loop, as a busy server makes them; ten such turns in one run. */
function concurrent(count) {
  const turns = 10;
  const everyTurn = (work) => async (inputs, state) => {
    let digests;
    for (let turn = 0; turn < turns; turn++) digests = await work(inputs, state);
    return digests;
  };
  return {
    name: 'concurrent-64',
    title: `SHA-256 of ${count} x 64 B, each its own call, all made at once, ${turns} times`,
    bytes: 64 * count * turns,
    inputs: () => {
      const list = messages(new Array(count).fill(64));
      return { list, expected: list.map(nodeDigest) };
    },
    cases: [
      {
        name: 'hash',
        ours: true,
        skip: lacks('hash'),
        run: everyTurn(({ list }) => Promise.all(list.map((data) => ours.hash('sha256', data)))),
        check,
      },
      ...loops(({ list }) => list, { check }).map((one) => ({ ...one, run: everyTurn(one.run) })),
      {
        name: 'piscina',
        ...pool,
        run: everyTurn(({ list }, piscina) => Promise.all(list.map((data) => piscina.run({ data })))),
        check,
      },
    ],
    targets: [{ ours: 'hash', peer: 'crypto.createHash', metric: 'wall', speed: 1.5 }],
    loopLimit: { max: 5 },
  };
}

function manyFiles(count) {
  let expected;
  const filesCheck = async (output, { paths }) => {
    expected ??= await Promise.all(paths.map(streamed));
    return digestsEqual(() => expected)(output);
  };
  return {
    name: 'many-files',
    title: `SHA-256 of ${count} cached files of 1 MiB`,
    bytes: count * MIB,
    inputs: () => ({ paths: files(count, MIB) }),
    cases: [
      {
        name: 'hashFiles',
        ours: true,
        skip: lacks('hashFiles'),
        run: ({ paths }) => ours.hashFiles('sha256', paths),
        check: filesCheck,
      },
      {
        name: 'hashFile, all at once',
        ours: true,
        skip: lacks('hashFile'),
        run: ({ paths }) => Promise.all(paths.map((path) => ours.hashFile('sha256', path))),
        check: filesCheck,
      },
      { name: 'streams, all at once', run: ({ paths }) => Promise.all(paths.map(streamed)), check: filesCheck },
      {
        name: 'piscina',
        ...pool,
        run: ({ paths }, piscina) => Promise.all(paths.map((path) => piscina.run({ path }))),
        check: filesCheck,
      },
    ],
    targets: [{ ours: 'hashFiles', peer: 'streams, all at once', metric: 'wall', speed: 5 }],
    loopLimit: { p99: 5 },
    // Whatever the size of the files.
    memoryLimit: { ours: 'hashFiles', of: () => 16 * MIB },
  };
}
