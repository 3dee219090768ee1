'use strict';
/**
 * How broadcasts travel: 'ring' through memory that all processes share, 'ipc' through the primary. A worker is told by
 * its primary, in one variable; RUSTCLUSTER_BROADCAST=ipc forces the latter.
 */
const cluster = require('node:cluster');
const { isMainThread } = require('node:worker_threads');
const { createError } = require('../errors.js');

const VARIABLE = 'RUSTCLUSTER_RING';
const DEFAULT_SIZE = 16 * 2 ** 20;
const [SMALLEST, LARGEST] = [2 ** 16, 2 ** 30];

/** What the primary has said, kept on the process: jest loads a module many times, and the variable is wiped away. */
const SEAT = Symbol.for('rustcluster.broadcast.seat');

function takeSeat() {
  if (isMainThread && process[SEAT] === undefined) {
    const text = process.env[VARIABLE] ?? '';
    delete process.env[VARIABLE];
    Object.defineProperty(process, SEAT, { value: text });
  }
  return process[SEAT] || undefined;
}

/** @returns {boolean} whether this is a worker of a primary that has told it nothing: nobody outside its process hears it */
function isCutOff() {
  return isMainThread && cluster.isWorker && process.connected && !takeSeat()?.endsWith(`:${process.ppid}`);
}

/** @returns {object | undefined} the addon, where it can share memory and wake this event loop */
function loadNative() {
  try {
    const native = require('../native.js');
    return native.Broadcast !== undefined && native.hasEventLoopAccess() ? native : undefined;
  } catch {
    return undefined;
  }
}

/** @returns {number} bytes of a new ring @throws ERR_OUT_OF_RANGE, for a RUSTCLUSTER_BROADCAST_SIZE that cannot be */
function ringSize() {
  const text = process.env.RUSTCLUSTER_BROADCAST_SIZE;
  if (!text) return DEFAULT_SIZE;
  const size = Number(text);
  if (!(size >= SMALLEST && size <= LARGEST)) {
    throw createError(
      'ERR_OUT_OF_RANGE',
      `RUSTCLUSTER_BROADCAST_SIZE must be from ${SMALLEST} to ${LARGEST} bytes. Received '${text}'`,
    );
  }
  return 2 ** Math.ceil(Math.log2(size));
}

/**
 * @returns {{ name: 'ring', native: object, seat: string | undefined, size: number } | { name: 'ipc' }}
 * @throws ERR_INVALID_ARG_VALUE for a RUSTCLUSTER_BROADCAST that is neither, ERR_OUT_OF_RANGE
 */
function chooseTransport() {
  const seat = takeSeat();
  const forced = process.env.RUSTCLUSTER_BROADCAST || undefined;
  if (forced !== undefined && forced !== 'ring' && forced !== 'ipc') {
    throw createError('ERR_INVALID_ARG_VALUE', `RUSTCLUSTER_BROADCAST must be 'ring' or 'ipc'. Received '${forced}'`);
  }
  const told = seat?.startsWith('ipc:') === true && seat === `ipc:${process.ppid}`;
  const native = forced === 'ipc' || (told && cluster.isWorker) ? undefined : loadNative();
  return native === undefined ? { name: 'ipc' } : { name: 'ring', native, seat, size: ringSize() };
}

module.exports = { chooseTransport, isCutOff, takeSeat, VARIABLE };
