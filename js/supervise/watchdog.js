'use strict';
/** Watches the workers' event loops by a native thread, see src/supervise/watchdog.rs. */
const { dispatch } = require('./fork.js');

/** A slow start counts for less with each one after it. */
const FORGET = 0.9;

class Watchdog {
  #stallTimeout;
  #act;
  #native;
  /** How long a start takes, in milliseconds. */
  #start = 0;
  /** the dispatcher's number -> worker */
  #workers = new Map();

  /**
   * @param {number} stallTimeout milliseconds; 0: nobody is watched
   * @param {(look: 'suspect' | 'stalled' | 'recovered', worker: object) => void} act
   */
  constructor(stallTimeout, act) {
    this.#stallTimeout = stallTimeout;
    this.#act = act;
  }

  /** Watches a worker, which is ready; where dispatch cannot tell when its loop turns this does nothing. */
  add(worker) {
    const { seat } = worker;
    if (this.#stallTimeout === 0 || seat === undefined) return;
    this.#native ??= dispatch.watchdog(this.#stallTimeout, () => this.#drain());
    this.#workers.set(seat, worker);
    this.#native.add(seat);
    // What takes its place when it hangs shall be ready by then, and a start takes about as long as the slowest of late.
    this.#start = Math.max(worker.readyAt - worker.startedAt, FORGET * this.#start);
    this.#native.setLead(Math.ceil(Math.min(this.#stallTimeout / 2, 1.5 * this.#start + 50)));
  }

  /** Watches it no more. */
  remove(worker) {
    const { seat } = worker;
    if (this.#workers.delete(seat)) this.#native.remove(seat);
  }

  /** Ends the thread. */
  stop() {
    this.#native?.stop();
    this.#native = undefined;
    this.#workers.clear();
  }

  #drain() {
    for (const { id, look } of this.#native?.take() ?? []) {
      const worker = this.#workers.get(id);
      if (worker !== undefined) this.#act(look, worker);
    }
  }
}

module.exports = { Watchdog };
