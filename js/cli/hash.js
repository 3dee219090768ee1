'use strict';
/** `rustcluster hash`: prints digests as sha256sum does. */
const { Option } = require('commander');

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
  const jobs = files.map((file) => hashFile(algorithm, file));
  // Printed in the order given; a failure further on must not count as unhandled until its turn.
  for (const job of jobs) job.catch(() => {});
  for (const [i, job] of jobs.entries()) {
    try {
      process.stdout.write(`${await job}  ${files[i]}\n`);
    } catch (error) {
      code = Math.max(code, report(error));
    }
  }
  return code;
}

module.exports = { define };
