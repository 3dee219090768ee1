/** One thing at a time: a large buffer, a large file, small messages one after the other. */
import { lacks, ours } from '../lib/ours.mjs';
import { digestsEqual, files, MIB, messages, nodeDigest, noise } from './inputs.mjs';
import { lacksCryptoHash, loops, oneShot, pool, streamed, wasm } from './peers.mjs';

/** @param {{ quick: boolean }} options @returns {import('../lib/suite.mjs').Suite[]} */
export function oneSuites({ quick }) {
  const bytes = (quick ? 4 : 64) * MIB;
  return [buffer(bytes), file(bytes), ...[64, 1024].map((length) => small(length, quick ? 500 : 5000))];
}

function buffer(bytes) {
  let expected;
  const check = digestsEqual(({ data }) => {
    expected ??= nodeDigest(data);
    return expected;
  });
  return {
    name: 'one-buffer',
    title: `SHA-256 of one buffer of ${bytes / MIB} MiB`,
    bytes,
    inputs: () => ({ data: noise(bytes) }),
    cases: [
      { name: 'hash', ours: true, skip: lacks('hash'), run: ({ data }) => ours.hash('sha256', data), check },
      { name: 'crypto.createHash', blocking: true, run: ({ data }) => nodeDigest(data), check },
      { name: 'crypto.hash', blocking: true, skip: lacksCryptoHash, run: ({ data }) => oneShot(data), check },
      {
        name: 'hash-wasm',
        blocking: true,
        rounds: 3,
        setup: wasm,
        run: ({ data }, sha) => sha.init().update(data).digest('hex'),
        check,
      },
      { name: 'piscina', ...pool, run: ({ data }, piscina) => piscina.run({ data }), check },
      {
        name: 'piscina, shared memory',
        setup: async ({ data }) => {
          const shared = new Uint8Array(new SharedArrayBuffer(data.length));
          shared.set(data);
          return { shared, piscina: await pool.setup() };
        },
        run: (_inputs, { piscina, shared }) => piscina.run({ data: shared }),
        check,
        teardown: ({ piscina }) => pool.teardown(piscina),
      },
    ],
    targets: ['crypto.createHash', 'crypto.hash'].map((peer) => ({
      ...{ ours: 'hash', peer, metric: 'wall', speed: 0.95 },
      // Without SHA extensions no code can be this much faster than OpenSSL: then ours has used them.
      ...(process.env.OPENSSL_ia32cap && { incredible: 1.4 }),
    })),
    loopLimit: { max: 5 },
  };
}

function file(bytes) {
  let expected;
  const check = async (output, { path }) => {
    expected ??= await streamed(path);
    return digestsEqual(() => expected)(output);
  };
  return {
    name: 'one-file',
    title: `SHA-256 of one cached file of ${bytes / MIB} MiB`,
    bytes,
    inputs: () => ({ path: files(1, bytes)[0] }),
    cases: [
      {
        name: 'hashFile',
        ours: true,
        skip: lacks('hashFile'),
        run: ({ path }) => ours.hashFile('sha256', path),
        check,
      },
      { name: 'createReadStream + createHash', run: ({ path }) => streamed(path), check },
      { name: 'piscina', ...pool, run: ({ path }, piscina) => piscina.run({ path }), check },
    ],
    targets: [{ ours: 'hashFile', peer: 'createReadStream + createHash', metric: 'wall', speed: 1.3 }],
    loopLimit: { p99: 5 },
    // Whatever the size of the file.
    memoryLimit: { ours: 'hashFile', of: () => 8 * MIB },
  };
}

function small(length, count) {
  const check = digestsEqual(({ expected }) => expected);
  return {
    name: `small-${length}`,
    title: `SHA-256 of ${count} messages of ${length} B, one after the other`,
    bytes: length * count,
    inputs: () => {
      const list = messages(new Array(count).fill(length));
      return { list, expected: list.map(nodeDigest) };
    },
    cases: [
      {
        name: 'hash',
        ours: true,
        skip: lacks('hash'),
        run: ({ list }) => eachAwaited(list, (data) => ours.hash('sha256', data)),
        check,
      },
      ...loops(({ list }) => list, { check }),
      {
        name: 'piscina',
        ...pool,
        run: ({ list }, piscina) => eachAwaited(list, (data) => piscina.run({ data })),
        check,
      },
    ],
  };
}

async function eachAwaited(list, digest) {
  const digests = [];
  for (const data of list) digests.push(await digest(data));
  return digests;
}
