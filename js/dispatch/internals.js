'use strict';
/**
 * What the supervisor may ask of dispatch beyond node:cluster's interface. In a primary whose connections go
 * node:cluster's own way every answer is "cannot".
 */

/** On the cluster object, not in a module: jest loads a module many times in one process. */
const INTERNALS = Symbol.for('rustcluster.dispatch');

const none = {
  /**
   * Gives a worker no new connections until {@link release}; what it has not taken goes to others.
   * @param {object} _worker of node:cluster
   * @returns {boolean} whether it is held; under the policy `kernel` its own socket accepts all the same
   */
  hold: (_worker) => false,
  /** Gives a held worker connections. @param {object} _worker of node:cluster */
  release: (_worker) => {},
  /** @param {object} _worker of node:cluster @returns {boolean} whether it gets no new connections for now */
  isHeld: (_worker) => false,
  /**
   * @param {object} _worker of node:cluster
   * @returns {number | undefined} the dispatcher's number for it, undefined where it has none
   */
  idOf: (_worker) => undefined,
  /**
   * Everything stops: the listening sockets close, and what is connected by then is given to the workers.
   * @param {{ within: number, patience: number }} _limits milliseconds they may have to take it, and without taking any
   * @param {() => boolean} _isOver ends the wait
   */
  stopListening: async (_limits, _isOver) => {},
  /**
   * Starts a native thread that watches event loops. To be called after the first fork.
   * @param {number} _stallTimeout milliseconds
   * @param {() => void} _wake called when the watchdog has something to tell
   * @returns {object | undefined} native.d.ts describes it
   */
  watchdog: (_stallTimeout, _wake) => undefined,
};

/**
 * @param {object} native the addon
 * @param {() => object | undefined} dispatcher
 * @param {WeakMap<object, { id: number }>} seats by worker
 * @param {import('./handover.js').Handover} handover
 */
function internals(native, dispatcher, seats, handover) {
  const held = new WeakSet();
  const idOf = (worker) => seats.get(worker)?.id;
  const ask = (method) => (worker) => {
    const id = idOf(worker);
    if (id !== undefined) dispatcher()[method](id);
    return id !== undefined;
  };
  const [hold, release] = [ask('holdWorker'), ask('releaseWorker')];
  return {
    hold(worker) {
      held.add(worker);
      return hold(worker);
    },
    release(worker) {
      held.delete(worker);
      release(worker);
    },
    isHeld: (worker) => held.has(worker),
    idOf,
    stopListening: (limits, isOver) => handover.stopListening(limits, isOver),
    watchdog: (stallTimeout, wake) =>
      dispatcher() === undefined ? undefined : new native.Watchdog(dispatcher(), stallTimeout, wake),
  };
}

module.exports = { INTERNALS, internals, none };
