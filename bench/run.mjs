#!/usr/bin/env node
/** `npm run bench -- [word] [options]`: measures this package beside its peers. No word: all of them. */
import { parseArgs } from 'node:util';
import { ensurePeers } from './lib/peers.mjs';

const OPTIONS = {
  rounds: { type: 'string', help: 'measured runs of every case' },
  size: { type: 'string', help: 'flip, koa: megapixels of the photo (18)' },
  height: { type: 'string', help: 'flip: lines of the photo; 3448 are whole blocks, but not whole MCUs in 4:2:0' },
  photo: { type: 'string', help: 'flip, koa: a JPEG of your own in place of the made one' },
  subsampling: { type: 'string', help: 'flip: chroma of the photo, 420 or 444 (420)' },
  quick: { type: 'boolean', help: 'small inputs, few rounds: shows that it works, measures nothing' },
  'no-memory': { type: 'boolean', help: 'leave out the peak memory' },
  'no-sha-ni': { type: 'boolean', help: 'hash: as on a CPU without the SHA extensions' },
  'one-core': { type: 'boolean', help: 'pin the whole run to one core' },
  node: { type: 'string', help: 'dispatch: the Node program the servers run on (the one that runs the bench)' },
  only: { type: 'string', help: 'only suites whose name holds this' },
  help: { type: 'boolean', help: 'this text' },
};

try {
  process.exitCode = await run();
} catch (error) {
  const isUsage = error.code === 'ERR_USAGE' || error.code?.startsWith('ERR_PARSE_ARGS');
  console.error(isUsage ? `${error.message} (--help shows the usage)` : error);
  process.exitCode = isUsage ? 2 : 1;
}

async function run() {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  if (values.help) {
    console.log('npm run bench -- [flip] [hash] [gzip] [koa] [dispatch] [broadcast] [store] [options]');
    for (const [name, { help }] of Object.entries(OPTIONS)) console.log(`  --${name.padEnd(14)}${help}`);
    return 0;
  }
  ensurePeers();
  // The rest needs the peers, which may just have been installed.
  const { main } = await import('./lib/main.mjs');
  return main(positionals, values);
}
