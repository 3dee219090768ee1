'use strict';
/** The life of a worker, as one enum: a state that is not listed here cannot be spelled. */
const { createError } = require('../errors.js');

const State = Object.freeze({
  /** Forked; its code is loading and it takes no connections yet. */
  STARTING: 'starting',
  /** Listening, or it has said `process.send('ready')` where `waitReady` asks for that. */
  READY: 'ready',
  /** Takes no new connections and finishes those it has. */
  DRAINING: 'draining',
  /** Told to go at once: SIGTERM sent, SIGKILL follows. */
  STOPPING: 'stopping',
  /** Its process is gone. */
  DEAD: 'dead',
});

const next = Object.freeze({
  starting: [State.READY, State.STOPPING, State.DEAD],
  ready: [State.DRAINING, State.STOPPING, State.DEAD],
  draining: [State.STOPPING, State.DEAD],
  stopping: [State.DEAD],
  dead: [],
});

/**
 * Checks one step of a life.
 * @param {string} from one of `State`
 * @param {string} to one of `State`
 * @returns {string} `to`
 * @throws ERR_INTERNAL for a step that no worker can take
 */
function advance(from, to) {
  if (!next[from].includes(to)) throw createError('ERR_INTERNAL', `A worker cannot go from ${from} to ${to}`);
  return to;
}

module.exports = { State, advance };
