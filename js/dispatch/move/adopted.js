'use strict';
/**
 * Connections that came idle from another worker. To Node they are new: it would wait `headersTimeout` for a request and
 * then answer 408 on a connection that has none open. So we close them when they have been idle for as long as the
 * server allows, counted from their last answer, and move them on before Node loses patience.
 */
const { clamp, FOREVER, FRESH, ownerOf } = require('./idle.js');

/** Timers of many connections are few where they fire together. In milliseconds. */
const GRAIN = 50;
/** After how long a connection that could not be moved is tried again, in milliseconds. */
const AGAIN = 1000;

class Adopted {
  /** socket -> when it has been idle for too long, by `performance.now()` */
  #deadlines = new WeakMap();
  #move;

  /** @param {(socket: object) => boolean} move passes a connection on; whether it is gone */
  constructor(move) {
    this.#move = move;
  }

  /**
   * A server has taken a connection.
   * @param {object} handle
   * @param {number} idle milliseconds it may still stay idle, or `FRESH` (then it is as new as it looks), or `FOREVER`
   */
  take(handle, idle) {
    const socket = idle === FRESH ? undefined : ownerOf(handle);
    if (socket === undefined || socket.destroyed) return;
    this.#deadlines.set(socket, idle === FOREVER ? Number.POSITIVE_INFINITY : performance.now() + idle);
    this.#wait(socket, patience(socket.server));
  }

  /** @returns {number} for how long a connection that has not spoken here may stay idle, as `take()` is told */
  idleTime(socket) {
    const deadline = this.#deadlines.get(socket);
    if (deadline === undefined) return FRESH;
    return deadline === Number.POSITIVE_INFINITY ? FOREVER : clamp(deadline - performance.now());
  }

  #wait(socket, longest) {
    const wait = Math.min(this.#deadlines.get(socket) - performance.now(), longest);
    if (wait === Number.POSITIVE_INFINITY) return;
    setTimeout(() => this.#look(socket), Math.ceil(Math.max(wait, 1) / GRAIN) * GRAIN).unref();
  }

  #look(socket) {
    // Once it has spoken, Node's own timers hold.
    if (socket.destroyed || socket.bytesRead > 0) return;
    if (performance.now() < this.#deadlines.get(socket)) {
      if (!this.#move(socket)) this.#wait(socket, AGAIN);
      return;
    }
    // A request may have arrived while the loop was busy: it is read before this is called.
    setImmediate(() => {
      // What Node does when its own timer fires; the app may listen for it.
      if (!socket.destroyed && socket.bytesRead === 0) socket.emit('timeout');
    });
  }
}

/** Milliseconds after which a silent connection had better be new again: half of what Node waits for a request. */
function patience({ headersTimeout, requestTimeout }) {
  const limits = [headersTimeout, requestTimeout].filter((limit) => limit > 0);
  return limits.length === 0 ? Number.POSITIVE_INFINITY : Math.max(Math.min(...limits) / 2, 1);
}

module.exports = { Adopted };
