'use strict';
/** Where the control sockets of this user's supervisors lie: one file each, in a folder nobody else can enter. */
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { createError } = require('../errors.js');

/** Bytes of a socket's path that every kernel takes (sun_path, without its end). */
const MAX_PATH = 103;

const uid = () => process.getuid?.() ?? 0;

/** @returns {string} the folder, which need not exist */
function socketFolder() {
  const { XDG_RUNTIME_DIR: runtime } = process.env;
  return runtime ? path.join(runtime, 'rustcluster') : path.join(os.tmpdir(), `rustcluster-${uid()}`);
}

/**
 * Makes the folder, and makes sure that it is ours alone: in /tmp somebody else may have made it first.
 * @returns {string} the folder
 * @throws ERR_CONTROL_SOCKET where it is not, or cannot be made
 */
function ownFolder() {
  const folder = socketFolder();
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid: owner, mode } = fs.lstatSync(folder);
    if (owner !== uid() || (mode & 0o170077) !== 0o040000) throw new Error('others can enter it');
  } catch (cause) {
    throw createError('ERR_CONTROL_SOCKET', `No control socket in ${folder}: ${cause.message}`, { cause });
  }
  return folder;
}

/**
 * @param {string | true} control a path of the user's own choice, or true: one of ours
 * @param {string} name the supervisor's
 * @returns {string} a path that no other living process uses
 * @throws ERR_CONTROL_SOCKET
 */
function socketPath(control, name) {
  // With the process's number: two supervisors of one name do not meet, and a file that was left behind is our own.
  const file = control === true ? path.join(ownFolder(), `${name}.${process.pid}.sock`) : control;
  if (Buffer.byteLength(file) > MAX_PATH) {
    throw createError('ERR_CONTROL_SOCKET', `The path of a socket has at most ${MAX_PATH} bytes: ${file}`);
  }
  return file;
}

/** @returns {string[]} the sockets of this user's supervisors, those that were left behind included */
function socketPaths() {
  const folder = socketFolder();
  try {
    return fs
      .readdirSync(folder)
      .filter((file) => file.endsWith('.sock'))
      .map((file) => path.join(folder, file));
  } catch {
    return [];
  }
}

module.exports = { socketPath, socketPaths };
