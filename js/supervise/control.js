'use strict';
/**
 * The control socket: JSON, one message a line. docs/supervise.md has the protocol. Who can open the file may do
 * everything, so its mode is 0600.
 */
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { createError } = require('../errors.js');
const { jsonLines } = require('./json-lines.js');
const { socketPath } = require('./socket-path.js');

/** What a client may ask. Each is given its `params` and answers the `result`. */
const methods = {
  status: (supervisor) => supervisor.status(),
  reload: (supervisor) => supervisor.reload().then(() => supervisor.status()),
  scale: (supervisor, { workers } = {}) => supervisor.scale(workers).then(() => supervisor.status()),
  stop: (supervisor, params) => supervisor.shutdown(params).then(() => ({})),
};

/** What a client is told while it waits: the event's name and its first argument. */
const PROGRESS = ['reload:start', 'reload:step', 'worker:ready', 'worker:exit', 'worker:stalled', 'shutdown:start'];

/**
 * Opens the socket.
 * @param {import('./types').Supervisor} supervisor
 * @param {{ control: string | boolean, name: string }} settings
 * @returns {() => void} closes it
 * @throws ERR_CONTROL_SOCKET where the path was asked for and cannot be had
 */
function openControl(supervisor, { control, name }) {
  if (control === false) return () => {};
  try {
    return serve(supervisor, socketPath(control, name));
  } catch (error) {
    if (control !== true) throw error;
    // A read-only container serves as well without.
    process.emitWarning(error.message, { code: error.code });
    return () => {};
  }
}

function serve(supervisor, file) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // A client that goes away is no failure of ours.
    socket.on('error', () => {});
    converse(supervisor, socket);
  });
  const inode = listen(server, file);
  return () => {
    server.close();
    unlinkOwn(file, inode);
    // In a later turn: the answer to `stop` is written first.
    setImmediate(() => {
      for (const socket of sockets) socket.end();
    });
  };
}

/** Listens at `file`, in place of whatever socket is there. @returns {number} the file's inode */
function listen(server, file) {
  const draft = `${file}~`;
  // Until its mode is set nobody else can connect.
  const mask = process.umask(0o177);
  try {
    fs.accessSync(path.dirname(file), fs.constants.W_OK | fs.constants.X_OK);
    fs.rmSync(draft, { force: true });
    // In a primary a socket is bound before listen() returns. A failure is told later: here the file is missing.
    server.on('error', () => {});
    server.listen(draft);
    fs.chmodSync(draft, 0o600);
    if (fs.existsSync(file) && !fs.lstatSync(file).isSocket()) throw new Error('a file that is no socket is there');
    fs.renameSync(draft, file);
  } catch (cause) {
    server.close();
    throw createError('ERR_CONTROL_SOCKET', `No control socket at ${file}: ${cause.message}`, { cause });
  } finally {
    process.umask(mask);
  }
  server.unref();
  return fs.lstatSync(file).ino;
}

/** By now another supervisor may have taken the path over. */
function unlinkOwn(file, inode) {
  try {
    if (fs.lstatSync(file).ino === inode) fs.unlinkSync(file);
  } catch {}
}

function converse(supervisor, socket) {
  const write = (message) => {
    if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
  };
  const onMessage = async (message) => {
    const id = message?.id ?? null;
    const listeners = PROGRESS.map((event) => [event, (data) => write({ id, progress: { event, ...data } })]);
    try {
      const { method, params } = checkRequest(message);
      if (method !== 'status') for (const [event, listener] of listeners) supervisor.on(event, listener);
      write({ id, result: await methods[method](supervisor, params) });
    } catch (error) {
      write({ id, error: describe(error) });
    } finally {
      for (const [event, listener] of listeners) supervisor.off(event, listener);
    }
  };
  jsonLines(socket, onMessage, (error) => {
    write({ id: null, error: describe(error) });
    socket.end();
  });
}

function checkRequest(message) {
  const { method, params } = message ?? {};
  if (typeof method !== 'string' || !Object.hasOwn(methods, method)) {
    const known = Object.keys(methods).join(', ');
    throw createError('ERR_INVALID_ARG_VALUE', `"method" must be one of ${known}. Received ${JSON.stringify(method)}`);
  }
  return { method, params: params ?? undefined };
}

/** @returns {object} what of an error travels */
function describe({ code = 'ERR_INTERNAL', message, replaced, total, exitCode, signal, stderr }) {
  return { code, message, replaced, total, exitCode, signal, stderr };
}

module.exports = { openControl };
