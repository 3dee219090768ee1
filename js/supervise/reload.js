'use strict';
/**
 * The rolling reload. In each place a new worker starts, proves itself without connections, and takes the place; the
 * old one is parked. Only when the last new one has proved itself with connections, too, do the old ones go. Until then
 * the first new one that fails puts every old one back: its process, with its code and its connections, is still there.
 */
const { setTimeout: sleep } = require('node:timers/promises');
const { createError } = require('../errors.js');

/**
 * @param {import('./slot.js').Slot[]} slots in the order they are taken
 * @param {object} options
 * @param {number} options.concurrency how many start at a time
 * @param {number} options.probation milliseconds, see types.d.ts
 * @param {AbortSignal} options.signal ends the reload; its reason is thrown
 * @param {(step: object) => void} options.tell called at each step
 * @throws ERR_RELOAD_REFUSED with `replaced`, `total`, `stderr`, `exitCode` and the failed worker's error as `cause`
 */
async function rollingReload(slots, options) {
  const reload = new Reload(slots, options);
  try {
    await reload.run();
  } catch (cause) {
    const replaced = reload.joined;
    reload.revert();
    // Also when the supervisor was told to stop meanwhile, which ends the new workers, too.
    options.signal.throwIfAborted();
    const { exitCode, signal, stderr } = cause;
    const kept = replaced === 0 ? 'no worker was replaced' : `${replaced} of ${slots.length} were put back`;
    const message = `The reload was refused (${kept}). ${cause.message}`;
    const details = { cause, replaced, total: slots.length, exitCode, signal, stderr };
    throw createError('ERR_RELOAD_REFUSED', message, details);
  }
}

class Reload {
  #slots;
  #options;
  /** slot -> its new worker */
  #trials = new Map();
  #over = new AbortController();
  #failed;
  #fail;

  constructor(slots, options) {
    this.#slots = slots;
    this.#options = options;
    /** How many new workers have taken their places. */
    this.joined = 0;
    this.#failed = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => {});
    options.signal.addEventListener('abort', () => this.#fail(options.signal.reason), { signal: this.#over.signal });
  }

  /** @throws what made the first worker fail */
  async run() {
    try {
      this.#options.signal.throwIfAborted();
      const queue = [...this.#slots];
      const proofs = [];
      const startSome = async () => {
        for (let slot = queue.shift(); slot !== undefined; slot = queue.shift()) {
          const trial = await this.#start(slot);
          // Not awaited here: while this one proves itself the next one starts.
          const proof = this.#prove(slot, trial);
          proof.catch(() => {});
          proofs.push(proof);
        }
      };
      await this.#unlessFailed(Promise.all(Array.from({ length: this.#options.concurrency }, startSome)));
      await this.#unlessFailed(Promise.all(proofs));
      await this.#pause();
    } finally {
      this.#over.abort();
    }
    for (const slot of this.#slots) {
      this.#tell('retired', slot, this.#trials.get(slot));
      slot.settle();
    }
  }

  /** Puts every old worker back. */
  revert() {
    for (const [slot, trial] of this.#trials) slot.revert(trial);
  }

  async #start(slot) {
    const trial = slot.try();
    this.#trials.set(slot, trial);
    const end = () => this.#fail(trial.unproved());
    await this.#unlessFailed(trial.ready);
    // After its last words are read, so that they can be quoted.
    trial.once('dead', end);
    this.#over.signal.addEventListener('abort', () => trial.off('dead', end), { once: true });
    this.#tell('ready', slot, trial);
    return trial;
  }

  async #prove(slot, trial) {
    await this.#pause();
    if (this.#over.signal.aborted) return;
    slot.join(trial);
    this.joined += 1;
    this.#tell('joined', slot, trial);
  }

  /** The time of probation, cut short when the reload fails. */
  async #pause() {
    await this.#unlessFailed(sleep(this.#options.probation, undefined, { signal: this.#over.signal }));
  }

  /** Rejects as soon as anything has made the reload fail. */
  #unlessFailed(promise) {
    promise.catch(() => {});
    return Promise.race([this.#failed, promise]);
  }

  #tell(step, slot, { pid }) {
    this.#options.tell({ step, slot: slot.index, pid, joined: this.joined, total: this.#slots.length });
  }
}

module.exports = { rollingReload };
