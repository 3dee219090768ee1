'use strict';
/** The other end of the control socket: what `rustcluster reload|scale|status|stop` use. */
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { createError, table } = require('../errors.js');
const { jsonLines } = require('./json-lines.js');
const { socketPaths } = require('./socket-path.js');

/** How long a supervisor may take to say who it is, in milliseconds. */
const PATIENCE = 5_000;

/**
 * Asks one supervisor.
 * @param {string} file its control socket
 * @param {'reload' | 'scale' | 'status' | 'stop'} method
 * @param {object} [params]
 * @param {{ onProgress?: (step: object) => void, timeout?: number }} [options]
 * @returns {Promise<object>} the result
 * @throws ERR_NOT_RUNNING when nobody answers, or the supervisor ends before it has; and what it answers
 */
function ask(file, method, params, { onProgress = () => {}, timeout } = {}) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(file);
    const finish = (settle, value) => {
      socket.destroy();
      settle(value);
    };
    const gone = (why, cause) =>
      finish(reject, createError('ERR_NOT_RUNNING', `No supervisor answers at ${file}: ${why}`, { cause }));
    if (timeout !== undefined) socket.setTimeout(timeout, () => gone('it is silent'));
    socket.once('error', (cause) => gone(cause.code ?? cause.message, cause));
    socket.once('close', () => gone('it has ended'));
    const onMessage = ({ progress, error, result }) => {
      if (progress !== undefined) onProgress(progress);
      else if (error !== undefined) finish(reject, revive(error));
      else finish(resolve, result);
    };
    jsonLines(socket, onMessage, (error) => finish(reject, error));
    socket.write(`${JSON.stringify({ id: 1, method, params })}\n`);
  });
}

function revive({ code, message, ...details }) {
  return createError(Object.hasOwn(table, code) ? code : 'ERR_INTERNAL', message, details);
}

/**
 * The supervisors of this user that run.
 * @returns {Promise<{ file: string, status: import('./types').SupervisorStatus }[]>}
 */
async function supervisors() {
  const found = await Promise.all(
    socketPaths().map(async (file) => {
      try {
        return { file, status: await ask(file, 'status', undefined, { timeout: PATIENCE }) };
      } catch (error) {
        // Its supervisor was killed: nobody listens there any more.
        if (error.cause?.code === 'ECONNREFUSED') fs.rmSync(file, { force: true });
        return undefined;
      }
    }),
  );
  return found.filter(Boolean).sort((a, b) => a.status.pid - b.status.pid);
}

/**
 * Finds the one that is meant.
 * @param {string} [which] its name, its primary's pid or its app's file; nothing: the only one
 * @returns {Promise<string>} its control socket
 * @throws ERR_NOT_RUNNING for none, ERR_INVALID_ARG_VALUE for more than one
 */
async function findSupervisor(which) {
  const all = await supervisors();
  const isMeant = ({ name, pid, exec }) => which === name || which === String(pid) || path.resolve(which) === exec;
  const meant = which === undefined ? all : all.filter(({ status }) => isMeant(status));
  if (meant.length === 1) return meant[0].file;
  if (meant.length === 0) {
    throw createError('ERR_NOT_RUNNING', which === undefined ? 'No supervisor runs' : `No supervisor runs ${which}`);
  }
  const list = meant.map(({ status: { name, pid, exec } }) => `\n  ${pid} ${name} ${exec}`).join('');
  throw createError('ERR_INVALID_ARG_VALUE', `Several supervisors run; say which, by its pid:${list}`);
}

module.exports = { ask, findSupervisor, supervisors };
