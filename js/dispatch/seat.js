'use strict';
/**
 * What a primary hands its worker at birth: two inherited descriptors and a slot, told in one environment variable, and
 * a preload through NODE_OPTIONS, so that `process.execArgv` stays what the app made it. The worker wipes both away:
 * its own children are no workers.
 */
const path = require('node:path');

const VARIABLE = 'RUSTCLUSTER_SEAT';
const PRELOAD = path.join(__dirname, '../preload.js');
const OPTION = `--require ${JSON.stringify(PRELOAD)}`;

/** @returns {object} `env` with the seat written in */
function writeSeat(env, { channel, memory, slot, moves }) {
  const options = env?.NODE_OPTIONS ?? process.env.NODE_OPTIONS;
  return {
    ...env,
    NODE_OPTIONS: options === undefined ? OPTION : `${OPTION} ${options}`,
    [VARIABLE]: `${channel}:${memory}:${slot}:${Number(moves)}`,
  };
}

/** @returns {{ channel: number, memory: number, slot: number, moves: boolean } | undefined} the seat, undefined in any other process */
function takeSeat() {
  const text = process.env[VARIABLE];
  if (text === undefined) return undefined;
  delete process.env[VARIABLE];
  const options = process.env.NODE_OPTIONS;
  if (options === OPTION) delete process.env.NODE_OPTIONS;
  else if (options?.startsWith(`${OPTION} `)) process.env.NODE_OPTIONS = options.slice(OPTION.length + 1);
  const [channel, memory, slot, moves] = text.split(':').map(Number);
  return { channel, memory, slot, moves: moves === 1 };
}

module.exports = { takeSeat, writeSeat };
