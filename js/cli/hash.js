'use strict';
/** `rustcluster hash`: prints digests as sha256sum does. */
const { Option } = require('commander');

/** Files under way at once: enough for all threads, and far fewer than the kernels' queue has room for. */
const AT_ONCE = 64;

function define(program, act) {
  return program
    .command('hash')
    .description('Print the digests of files, in the format of sha256sum')
    .argument('<file...>')
    .addOption(
      new Option('-a, --algorithm <name>', 'which').choices(['sha224', 'sha256', 'sha384', 'sha512']).default('sha256'),
    )
    .action(act(hash));
}

/** @returns {Promise<number>} 1 when a file could not be read; the others are hashed all the same */
async function hash(files, { algorithm }) {
  const { hashFile } = require('../kernels/index.js');
  const { report } = require('./report.js');
  let code = 0;
  const jobs = [];
  for (const [i, file] of files.entries()) {
    for (const next of files.slice(jobs.length, i + AT_ONCE)) {
      const job = hashFile(algorithm, next);
      // Printed in the order given; a failure further on must not count as unhandled until its turn.
      job.catch(() => {});
      jobs.push(job);
    }
    try {
      process.stdout.write(`${await jobs[i]}  ${file}\n`);
    } catch (error) {
      code = Math.max(code, report(error));
    }
  }
  return code;
}

module.exports = { define };
