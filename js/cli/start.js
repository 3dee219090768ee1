'use strict';
/** `rustcluster start`: supervises an app in the foreground, until a signal or a crash loop ends it. */
const { once } = require('node:events');
const { InvalidArgumentError, Option } = require('commander');
const { POLICIES } = require('../dispatch/policies.js');
const { supervise } = require('../supervise/index.js');
const { narrate } = require('./narrate.js');

function integer(min, max) {
  return (text) => {
    if (/^\d{1,15}$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

const workers = (text) => (text === 'auto' ? text : integer(1, 1024)(text));
const milliseconds = integer(0, 2 ** 31 - 1);

/** What tunes the supervisor: every one has the same name in supervise(). */
const tuning = [
  ['--ready-timeout <ms>', 'how long a worker may take to start', 30_000],
  ['--drain-timeout <ms>', 'how long a worker may finish its requests', 30_000],
  ['--kill-timeout <ms>', 'time from SIGTERM to SIGKILL', 5_000],
  ['--min-uptime <ms>', 'time after which a worker counts as sound', 1_000],
];

function define(program, act) {
  const command = program
    .command('start')
    .description('Run an app on several cores, in the foreground')
    .argument('<app>', "the app's main file; it needs no changed line")
    .argument('[args...]', 'arguments for the app, after --')
    .addOption(
      new Option('-w, --workers <n>', 'how many; auto: as many as affinity and cgroup quota give')
        .argParser(workers)
        .default('auto'),
    )
    .addOption(new Option('-p, --port <n>', "sets PORT in the app's environment").argParser(integer(0, 65_535)))
    .addOption(new Option('--policy <name>', 'who gets a connection').choices(POLICIES))
    .option('--wait-ready', "a worker is ready at process.send('ready'), not when it listens")
    .addOption(
      new Option('--max-crashes <n>', 'crashes in a row after which to give up')
        .argParser(integer(1, 1_000_000))
        .default(5),
    );
  for (const [flags, text, fallback] of tuning) {
    command.addOption(new Option(flags, text).argParser(milliseconds).default(fallback));
  }
  return command.action(act(start));
}

/** @returns {Promise<number>} 0 after an orderly stop */
async function start(app, args, { port, ...options }) {
  const env = port === undefined ? {} : { PORT: String(port) };
  const supervisor = supervise({ ...options, exec: app, args, env });
  narrate(supervisor);
  // A crash loop is an 'error', which once() rejects with.
  await once(supervisor, 'shutdown:end');
  return 0;
}

module.exports = { define };
