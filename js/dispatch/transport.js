'use strict';
/**
 * How connections reach a worker's event loop: 'uv' on the loop itself, 'thread' by a thread that wakes it, 'stock' as
 * node:cluster does it. Known in primary and worker alike, from the platform and RUSTCLUSTER_TRANSPORT.
 */
const { createError } = require('../errors.js');

const NAMES = ['uv', 'thread', 'stock'];

/** The addon, or undefined where it has no dispatch (macOS, Windows) or cannot be loaded (`node --permission`). */
function loadNative() {
  try {
    const native = require('../native.js');
    return native.Dispatcher === undefined ? undefined : native;
  } catch (error) {
    if (process.platform === 'linux') process.emitWarning(`${error.message}. Connections go the way of node:cluster`);
    return undefined;
  }
}

/**
 * @returns {{ name: 'uv' | 'thread' | 'stock', native: object | undefined }} native: undefined for 'stock'
 * @throws ERR_INVALID_ARG_VALUE for a RUSTCLUSTER_TRANSPORT that is none of the three
 */
function chooseTransport() {
  const forced = process.env.RUSTCLUSTER_TRANSPORT || undefined;
  if (forced !== undefined && !NAMES.includes(forced)) {
    const known = NAMES.join(', ');
    throw createError('ERR_INVALID_ARG_VALUE', `RUSTCLUSTER_TRANSPORT must be one of ${known}. Received '${forced}'`);
  }
  const native = forced === 'stock' ? undefined : loadNative();
  if (native === undefined) return { name: 'stock', native };
  const name = forced ?? (native.hasEventLoopAccess() ? 'uv' : 'thread');
  return { name: name === 'uv' && !native.hasEventLoopAccess() ? 'thread' : name, native };
}

module.exports = { chooseTransport };
