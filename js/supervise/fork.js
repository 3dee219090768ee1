'use strict';
/** How a worker process is made: what it runs, what it inherits, what it is told. */
const cluster = require('../dispatch/index.js');
const { INTERNALS } = require('../dispatch/internals.js');
const { gateEnvironment } = require('./kernel-gate.js');
const { checkArguments, checkEnvironment } = require('./options.js');

const AGENT = require.resolve('./agent.js');

/** What dispatch does for a supervisor. */
const dispatch = cluster[INTERNALS];

/**
 * Starts a process. The script's path is resolved by the new process itself: a link that was switched is followed.
 * @param {object} settings complete options, of options.js
 * @param {number} slot its place, from 0
 * @param {boolean} held whether it gets no connections at first
 * @returns {object} the worker, of node:cluster
 * @throws what `args` and `env` throw where they are functions, and what spawning answers
 */
function fork({ exec, args, execArgv, silent, env, policy, moveConnections }, slot, held) {
  const given = typeof args === 'function' ? checkArguments('options.args()', args(slot)) : args;
  const added = typeof env === 'function' ? checkEnvironment('options.env()', env(slot)) : env;
  cluster.setupPrimary({
    exec,
    policy,
    args: given,
    // A worker that is told to go by somebody else passes its connections on, too.
    moveConnections,
    // --require and not a wrapper script: the app stays the main module.
    execArgv: ['--require', AGENT, ...execArgv],
    // stderr is a pipe, so that a death can be reported with its last lines.
    stdio: ['ignore', silent ? 'ignore' : 'inherit', 'pipe', 'ipc'],
  });
  const worker = cluster.fork({
    ...gateEnvironment(),
    ...added,
    RUSTCLUSTER_SLOT: String(slot),
    RUSTCLUSTER_PARENT: String(process.pid),
  });
  // Long before it listens: the process has not loaded anything yet.
  if (held) dispatch.hold(worker);
  return worker;
}

module.exports = { cluster, dispatch, fork };
