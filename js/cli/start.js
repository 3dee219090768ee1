'use strict';
/** `rustcluster start`: supervises an app in the foreground, until a signal or a crash loop ends it. */
const { once } = require('node:events');
const { Option } = require('commander');
const { POLICIES } = require('../dispatch/policies.js');
const { supervise } = require('../supervise/index.js');
// The primary clears up after its workers' stores, and answers for them where memory cannot be shared.
require('../store/index.js');
const { bytes, integer } = require('./arguments.js');
const { narrate } = require('./narrate.js');

const workers = (text) => (text === 'auto' ? text : integer(1, 1024)(text));
const milliseconds = integer(0, 2 ** 31 - 1);

/** What tunes the supervisor: every one has the same name in supervise(). */
const tuning = [
  ['--ready-timeout <ms>', 'how long a worker may take to start', 30_000],
  ['--drain-timeout <ms>', 'how long a worker may finish its requests', 30_000],
  ['--kill-timeout <ms>', 'time from SIGTERM to SIGKILL', 5_000],
  ['--min-uptime <ms>', 'time after which a worker counts as sound', 1_000],
  ['--probation <ms>', 'time a new version must live on a reload, first without, then with connections', 1_500],
  ['--stall-timeout <ms>', 'time after which a worker whose event loop hangs is replaced; 0: never (default: 30000)'],
  ['--max-age <ms>', 'age at which a worker is renewed'],
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
    .option('--no-move-connections', 'connections stay with their worker when it leaves')
    .addOption(new Option('--spares <n>', 'workers that wait for another to die').argParser(integer(0, 1024)))
    .addOption(
      new Option('--concurrency <n>', 'new workers that start at a time on a reload').argParser(integer(1, 1024)),
    )
    .addOption(
      new Option('--max-memory <bytes>', 'resident memory at which a worker is renewed; 512M').argParser(bytes),
    )
    .option('--name <name>', "what other commands call it (default: the app's file name)")
    .option('--control <path>', 'where its control socket lies')
    .option('--no-control', 'no control socket')
    .option('--rebalance', 'even out kept connections when a worker is new')
    .option('--wait-ready', "a worker is ready at process.send('ready'), not when it listens")
    .addOption(
      new Option('--max-crashes <n>', 'crashes in a row after which to give up')
        .argParser(integer(1, 1_000_000))
        .default(5),
    );
  for (const [flags, text, fallback] of tuning) {
    const option = new Option(flags, text).argParser(milliseconds);
    command.addOption(fallback === undefined ? option : option.default(fallback));
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
