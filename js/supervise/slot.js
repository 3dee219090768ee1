'use strict';
/** One place in the cluster: keeps one worker alive in it, waits between crashes, swaps it for a new one on reload. */
const { EventEmitter } = require('node:events');
const { countCrash, delayAfter } = require('./backoff.js');
const { State } = require('./lifecycle.js');
const { WorkerProcess } = require('./worker-process.js');

/** Emits 'worker' with (event, process, detail) for all its workers, and 'crash' with (process, exit, crashes). */
class Slot extends EventEmitter {
  #settings;
  #timer;
  #current;
  #leaving = new Set();
  #closed = false;

  constructor(settings, index) {
    super();
    this.#settings = settings;
    this.index = index;
    /** Crashes in a row. */
    this.crashes = 0;
    /** Starts after the first one, for whatever reason. */
    this.restarts = -1;
  }

  /** The worker that holds this place, if there is one. */
  get current() {
    return this.#current;
  }

  /** All its processes that still live: the current one, one that starts to take its place, ones that drain. */
  get processes() {
    return [...(this.#current ? [this.#current] : []), ...this.#leaving];
  }

  get isReady() {
    return this.#current?.state === State.READY;
  }

  /** Whether its worker has been ready for `minUptime`. */
  get isSound() {
    return this.isReady && this.#current.readyFor >= this.#settings.minUptime;
  }

  /** Starts a worker in this place. @returns {WorkerProcess} */
  start() {
    this.#current = this.#spawn();
    return this.#current;
  }

  /**
   * Start first: a new worker becomes ready, then the old one drains. Resolves when the new one is ready.
   * @returns {Promise<WorkerProcess>} the new worker
   * @throws ERR_WORKER_START when the new one dies or times out; the old one has not been touched then
   */
  async replace() {
    const fresh = this.#spawn();
    this.#leaving.add(fresh);
    await fresh.ready;
    this.#leaving.delete(fresh);
    clearTimeout(this.#timer);
    const old = this.#current;
    this.#current = fresh;
    this.crashes = 0;
    if (old && old.state !== State.DEAD) {
      this.#leaving.add(old);
      old.drain('linger');
    }
    return fresh;
  }

  /**
   * Gives the place up: all its workers drain.
   * @param {'close' | 'linger'} idle see agent.js
   * @returns {Promise<void>} once all of them are gone
   */
  async close(idle) {
    this.#closed = true;
    clearTimeout(this.#timer);
    await Promise.all(this.processes.map((worker) => worker.drain(idle)));
  }

  /** SIGKILL to all its workers. */
  kill() {
    for (const worker of this.processes) worker.endAtOnce();
  }

  #spawn() {
    this.restarts += 1;
    const worker = new WorkerProcess(this.#settings, this.index);
    worker.on('state', (state) => {
      if (state !== State.DEAD) this.emit('worker', state, worker);
    });
    worker.on('listening', (address) => this.emit('worker', 'listening', worker, address));
    worker.once('dead', (exit) => this.#onDead(worker, exit));
    this.emit('worker', State.STARTING, worker);
    return worker;
  }

  #onDead(worker, exit) {
    const expected = this.#closed || worker !== this.#current;
    if (this.#leaving.delete(worker) || this.#closed) {
      if (worker === this.#current) this.#current = undefined;
      this.emit('worker', 'exit', worker, { ...exit, expected, delay: undefined });
      return;
    }
    this.crashes = countCrash(this.crashes, worker.readyFor, this.#settings.minUptime);
    const delay = delayAfter(this.crashes, this.#settings.backoff);
    this.#timer = setTimeout(() => this.start(), delay);
    // First: who hears it may close this place.
    this.emit('crash', worker, exit, this.crashes);
    this.emit('worker', 'exit', worker, { ...exit, expected, delay: this.#closed ? undefined : delay });
  }
}

module.exports = { Slot };
