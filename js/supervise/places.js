'use strict';
/** All places of a cluster: as many active ones as asked for, and the spares beside them. */
const { EventEmitter } = require('node:events');
const { Slot } = require('./slot.js');

/** Emits what its slots emit, with the slot first: 'worker', 'crash'; and 'serves'. */
class Places extends EventEmitter {
  #settings;
  #slots = new Map();
  #retiring = new Set();

  /** @param {object} settings complete options, of options.js */
  constructor(settings) {
    super();
    this.#settings = settings;
  }

  /** @returns {Slot[]} every place, by index */
  get all() {
    return [...this.#slots.values()].sort((a, b) => a.index - b.index);
  }

  /** @returns {Slot[]} the places whose workers get connections */
  get active() {
    return this.all.filter((slot) => !slot.spare);
  }

  /** @returns {Slot[]} the places whose workers wait for one to die */
  get spares() {
    return this.all.filter((slot) => slot.spare);
  }

  /** Places that are given up but whose workers have not ended. */
  get retiring() {
    return [...this.#retiring];
  }

  /**
   * Fills up to `target` active places, spares first, and to `spares` spares.
   * @returns {import('./worker-process.js').WorkerProcess[]} the workers started for active places
   */
  fill(target) {
    let missing = target - this.active.length;
    for (const slot of this.spares.filter(({ isReady }) => isReady).slice(0, Math.max(0, missing))) {
      slot.activate();
      missing -= 1;
    }
    const started = [];
    for (; missing > 0; missing -= 1) started.push(this.#add(false).start());
    for (let lacking = this.#settings.spares - this.spares.length; lacking > 0; lacking -= 1) this.#add(true).start();
    return started;
  }

  /** Gives up the active places beyond `target`, those with the highest numbers. @returns {Promise<void>} once empty */
  async trim(target) {
    const surplus = this.active.slice(target);
    for (const slot of surplus) this.#slots.delete(slot.index);
    // Others go on serving, so idle connections may linger.
    await Promise.all(surplus.map((slot) => this.#retire(slot, 'linger')));
  }

  /** Starts no worker any more. */
  freeze() {
    for (const slot of this.all) slot.freeze();
  }

  /** Gives up all places. @returns {Promise<void>} once no worker is left */
  async close() {
    // Nobody will serve an idle connection once all have stopped.
    await Promise.all([...this.#retiring, ...this.all].map((slot) => this.#retire(slot, 'close')));
    this.#slots.clear();
  }

  /** SIGKILL to every worker. */
  kill() {
    for (const slot of [...this.all, ...this.#retiring]) slot.kill();
  }

  async #retire(slot, idle) {
    this.#retiring.add(slot);
    await slot.close(idle);
    this.#retiring.delete(slot);
  }

  #add(spare) {
    let index = 0;
    while (this.#slots.has(index)) index += 1;
    const slot = new Slot(this.#settings, index, spare);
    this.#slots.set(index, slot);
    slot.on('worker', (...given) => this.emit('worker', slot, ...given));
    slot.on('crash', (...given) => this.emit('crash', slot, ...given));
    slot.on('serves', () => this.emit('serves'));
    slot.on('vacant', () => this.#replaceBySpare(slot));
    return slot;
  }

  /** A spare's worker serves from this moment; the place of the dead one becomes the spare. */
  #replaceBySpare(slot) {
    if (slot.spare) return;
    const spare = this.spares.find(({ isReady }) => isReady);
    if (spare === undefined) return;
    spare.activate();
    slot.spare = true;
  }
}

module.exports = { Places };
