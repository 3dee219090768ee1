'use strict';
/** Builds the command line from the table below and runs what was asked for. */
const { Command } = require('commander');
const { version } = require('../../package.json');
const { report } = require('./report.js');

/** Each adds a subcommand, or several, to the program; a new one is a new file and a new line here. */
const commands = [require('./start.js'), require('./control.js'), require('./flip.js'), require('./hash.js')];

/**
 * @param {string[]} argv as process.argv
 * @returns {Promise<number>} the exit code: 0, 1 for a failure, 2 for wrong usage, 3 where nothing runs that was asked
 */
async function run(argv) {
  const program = new Command('rustcluster')
    .description('Run a Node.js server on all cores; flip and hash off the event loop')
    .version(version, '-v, --version')
    .showHelpAfterError('(--help shows the usage)')
    .enablePositionalOptions()
    .exitOverride();
  let code = 0;
  for (const { define } of commands) {
    const defined = define(program, (action) => async (...given) => {
      code = (await action(...given)) ?? 0;
    });
    for (const command of [defined].flat()) command.exitOverride();
  }
  try {
    await program.parseAsync(argv);
  } catch (error) {
    return report(error);
  }
  return code;
}

module.exports = { run };
