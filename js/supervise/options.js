'use strict';
/** The options of supervise(), checked once and made complete. */
const fs = require('node:fs');
const path = require('node:path');
const { checkPolicy } = require('../dispatch/policies.js');
const { createError } = require('../errors.js');
const check = require('../options.js');
const { availableParallelism } = require('./parallelism.js');

const MAX_WORKERS = 1024;
// Timers hold 31 bits; beyond that Node fires them at once.
const MAX_DELAY = 2 ** 31 - 1;

/**
 * @param {unknown} value a count or 'auto'
 * @returns {number} from 1 to 1024; 'auto' is {@link availableParallelism}
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE
 */
function workerCount(value) {
  if (value === undefined || value === 'auto') return Math.min(availableParallelism(), MAX_WORKERS);
  if (typeof value === 'string') check.oneOf('options.workers', value, ['auto']);
  return check.integer('options.workers', value, { min: 1, max: MAX_WORKERS });
}

/** The file, as an absolute path. A symbolic link stays one: a reload follows where it points by then. */
function script(value) {
  const file = path.resolve(check.path('options.exec', value));
  try {
    // What `node <file>` would find: the file, with an extension, or a folder's index.
    require.resolve(file);
  } catch (cause) {
    const why = fs.existsSync(file) ? 'is nothing Node can run' : 'does not exist';
    throw createError('ERR_INVALID_ARG_VALUE', `The "options.exec" file ${why}: ${file}`, { cause });
  }
  return file;
}

/** @returns {string[]} @throws ERR_INVALID_ARG_TYPE */
function checkArguments(name, value) {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw check.typeError(name, 'an array of strings', value);
  for (const [i, item] of value.entries()) {
    if (typeof item !== 'string') throw check.typeError(`${name}[${i}]`, 'a string', item);
  }
  return [...value];
}

/** Node's own flags, for the workers too; but not a program given on the command line (`node -e`). */
function inheritedExecArgv() {
  const at = process.execArgv.findIndex((flag) => /^(-e|-p|-pe|--eval|--print)$/.test(flag));
  return at === -1 ? process.execArgv : [...process.execArgv.slice(0, at), ...process.execArgv.slice(at + 2)];
}

function flag(name, value, fallback) {
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') throw check.typeError(name, 'a boolean', value);
  return value;
}

/** @returns {Record<string, string | undefined>} @throws ERR_INVALID_ARG_TYPE */
function checkEnvironment(name, value) {
  for (const [key, item] of Object.entries(check.object(name, value))) {
    if (item !== undefined && typeof item !== 'string') throw check.typeError(`${name}.${key}`, 'a string', item);
  }
  return { ...value };
}

/** What a name may be: it is part of a file's name. */
const NAME = /^[\w][\w.-]{0,40}$/;

function checkName(value) {
  if (typeof value !== 'string') throw check.typeError('options.name', 'a string', value);
  if (!NAME.test(value)) {
    const rule = 'must be 1 to 41 letters, digits, "_", "-" and ".", the first no "-" or "."';
    throw createError('ERR_INVALID_ARG_VALUE', `"options.name" ${rule}. Received ${JSON.stringify(value)}`);
  }
  return value;
}

/** The file's name without its extension. */
const nameOf = (exec) =>
  path
    .parse(exec)
    .name.replace(/[^\w.-]|^[-.]/g, '_')
    .slice(0, 41);

/** A worker whose debugger has stopped it does not hang: with one attached from the start nobody is watched. */
function stallTimeout(value, execArgv = process.execArgv) {
  const hasDebugger = execArgv.some((flag) => /^--inspect/.test(flag));
  return check.integer('options.stallTimeout', value, { min: 0, max: MAX_DELAY, fallback: hasDebugger ? 0 : 30_000 });
}

function controlPath(value) {
  if (value === undefined || typeof value === 'boolean') return value ?? true;
  return path.resolve(check.path('options.control', value));
}

function backoffOptions(value) {
  const { initial, factor = 1.5, max } = check.object('options.backoff', value);
  if (typeof factor !== 'number') throw check.typeError('options.backoff.factor', 'a number', factor);
  if (!(factor >= 1 && factor <= 10)) {
    throw createError('ERR_OUT_OF_RANGE', `"options.backoff.factor" must be from 1 to 10. Received ${factor}`);
  }
  const milliseconds = (name, given, fallback) =>
    check.integer(`options.backoff.${name}`, given, { min: 1, max: MAX_DELAY, fallback });
  return { initial: milliseconds('initial', initial, 100), factor, max: milliseconds('max', max, 15_000) };
}

/**
 * @param {import('./types').SupervisorOptions} value what the caller gave
 * @returns {object} every option with its value; see types.d.ts for meanings, units and defaults
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE
 */
function supervisorOptions(value) {
  const options = check.object('options', value);
  const exec = script(options.exec);
  const milliseconds = (name, fallback, min = 0) =>
    check.integer(`options.${name}`, options[name], { min, max: MAX_DELAY, fallback });
  return {
    exec,
    name: options.name === undefined ? nameOf(exec) : checkName(options.name),
    args: typeof options.args === 'function' ? options.args : checkArguments('options.args', options.args),
    execArgv:
      options.execArgv === undefined ? inheritedExecArgv() : checkArguments('options.execArgv', options.execArgv),
    env: typeof options.env === 'function' ? options.env : checkEnvironment('options.env', options.env),
    workers: workerCount(options.workers),
    spares: check.integer('options.spares', options.spares, { min: 0, max: MAX_WORKERS, fallback: 0 }),
    policy: checkPolicy('options.policy', options.policy),
    moveConnections: flag('options.moveConnections', options.moveConnections, true),
    rebalance: flag('options.rebalance', options.rebalance, false),
    waitReady: flag('options.waitReady', options.waitReady, false),
    silent: flag('options.silent', options.silent, false),
    signals: flag('options.signals', options.signals, true),
    readyTimeout: milliseconds('readyTimeout', 30_000, 1),
    drainTimeout: milliseconds('drainTimeout', 30_000),
    killTimeout: milliseconds('killTimeout', 5_000),
    minUptime: milliseconds('minUptime', 1_000),
    concurrency: check.integer('options.concurrency', options.concurrency, { min: 1, max: MAX_WORKERS, fallback: 1 }),
    probation: milliseconds('probation', 1_500),
    stallTimeout: stallTimeout(options.stallTimeout, options.execArgv),
    maxMemory: check.integer('options.maxMemory', options.maxMemory, { min: 1 }),
    maxAge: milliseconds('maxAge', undefined, 1),
    control: controlPath(options.control),
    maxCrashes: check.integer('options.maxCrashes', options.maxCrashes, { min: 1, fallback: 5 }),
    backoff: backoffOptions(options.backoff),
  };
}

module.exports = { checkArguments, checkEnvironment, MAX_WORKERS, supervisorOptions, workerCount };
