'use strict';
/**
 * One place in the cluster: keeps one worker alive in it, waits between crashes, swaps it for a new one.
 *
 * Beside its current worker a place may have others for a while: a trial (a new one that has to prove itself), a parked
 * one (the old one, until the new one has), a standby (for a current one that seems to hang), and some that drain.
 */
const { EventEmitter } = require('node:events');
const { countCrash, delayAfter } = require('./backoff.js');
const { State } = require('./lifecycle.js');
const { WorkerProcess } = require('./worker-process.js');

/**
 * Emits 'worker' with (event, process, detail) for all its workers; 'vacant' when its current process has ended and
 * nothing takes its place at once; 'serves' when a worker is new among those that get connections; 'crash' with (process, exit, crashes).
 */
class Slot extends EventEmitter {
  #settings;
  #timer;
  #current;
  #parked;
  #standby;
  #others = new Set();
  #closed = false;

  /** @param {object} settings complete options, of options.js @param {number} index from 0 @param {boolean} spare */
  constructor(settings, index, spare) {
    super();
    this.#settings = settings;
    this.index = index;
    /** A spare's worker runs, but gets no connections until it is needed. */
    this.spare = spare;
    /** Crashes in a row. */
    this.crashes = 0;
    /** Starts after the first one, for whatever reason. */
    this.restarts = -1;
  }

  /** The worker that holds this place, if there is one. */
  get current() {
    return this.#current;
  }

  /** All its processes that still live. */
  get processes() {
    return [...(this.#current ? [this.#current] : []), ...this.#others];
  }

  get isReady() {
    return this.#current?.isReady === true && !this.#current.isGone;
  }

  /** Whether its worker has been ready for `minUptime`. */
  get isSound() {
    return this.isReady && this.#current.readyFor >= this.#settings.minUptime;
  }

  /** @returns {'active' | 'spare' | 'trial' | 'parked' | 'leaving'} what `worker` is to this place */
  roleOf(worker) {
    if (worker.isLeaving || worker.isGivenUp) return 'leaving';
    if (worker === this.#current) return this.spare ? 'spare' : 'active';
    return worker === this.#parked ? 'parked' : 'trial';
  }

  /** Starts a worker in this place. @returns {WorkerProcess} */
  start() {
    this.#current = this.#spawn(this.spare);
    return this.#current;
  }

  /** A spare whose worker is ready takes connections from now on. */
  activate() {
    this.spare = false;
    if (this.#current) this.#release(this.#current);
  }

  /** From now on this place is a spare: its worker gets no connections. */
  deactivate() {
    this.spare = true;
    this.#current?.hold();
  }

  /** Starts a worker that gets no connections until it is joined. @returns {WorkerProcess} */
  try() {
    const trial = this.#spawn(true);
    this.#others.add(trial);
    return trial;
  }

  /** A trial takes the place; the worker that had it is parked: it keeps its connections and gets no new ones. */
  join(trial) {
    clearTimeout(this.#timer);
    const old = this.#current;
    this.#others.delete(trial);
    this.#current = trial;
    if (!this.spare) this.#release(trial);
    if (old === undefined || old.isGone) return;
    this.#others.add(old);
    this.#parked = old;
    old.hold();
  }

  /** The new worker has proved itself: the parked one drains. */
  settle() {
    this.crashes = 0;
    this.#parked?.drain('linger');
    this.#parked = undefined;
  }

  /** The parked worker takes its place again, where it still can; `trial`, joined or not, goes. */
  revert(trial) {
    const old = this.#parked;
    this.#parked = undefined;
    if (trial === this.#current) {
      // Without an old one to put back it is better than nobody.
      if (old === undefined || old.isGone) return;
      this.#putBack(old);
      this.#others.add(trial);
    }
    trial.drain('linger');
  }

  /**
   * Start first: a new worker becomes ready, then the old one drains. Resolves when the new one is ready.
   * @returns {Promise<WorkerProcess>} the new worker
   * @throws ERR_WORKER_START when the new one dies or times out; the old one has not been touched then
   */
  async replace() {
    const fresh = this.try();
    await fresh.ready;
    this.join(fresh);
    this.settle();
    return fresh;
  }

  /** Its worker seems to hang: another one gets ready, so that the place is filled the moment it is given up. */
  prepare() {
    if (this.#standby === undefined && !this.#closed) this.#standby = this.try();
  }

  /** It was a false alarm. */
  dismiss() {
    this.#standby?.drain('linger');
    this.#standby = undefined;
  }

  /** Its worker hangs: it is killed, and what is prepared takes its place. */
  giveUp() {
    this.prepare();
    const hung = this.#current;
    if (this.#standby?.isReady && !this.#standby.isGone) {
      this.#others.add(hung);
      this.#putBack(this.#standby);
    }
    hung.giveUp();
  }

  /** Nobody is started in this place any more. */
  freeze() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /**
   * Gives the place up: all its workers drain.
   * @param {'close' | 'linger'} idle see `cluster.drain`
   * @returns {Promise<void>} once all of them are gone
   */
  async close(idle) {
    this.freeze();
    await Promise.all(this.processes.map((worker) => worker.drain(idle)));
  }

  /** SIGKILL to all its workers. */
  kill() {
    for (const worker of this.processes) worker.endAtOnce();
  }

  #spawn(held) {
    this.restarts += 1;
    const worker = new WorkerProcess(this.#settings, this.index, held);
    worker.on('state', (state) => {
      if (state !== State.DEAD) this.emit('worker', state, worker);
      if (state === State.READY && !worker.held) this.emit('serves');
    });
    worker.on('drained', (drained) => this.emit('worker', 'drained', worker, drained));
    worker.on('listening', (address) => this.emit('worker', 'listening', worker, address));
    worker.once('gone', () => this.#onGone(worker));
    worker.once('dead', (exit) => this.#onDead(worker, exit));
    this.emit('worker', State.STARTING, worker);
    return worker;
  }

  /** At once, before the last words of the dead are read. */
  #onGone(worker) {
    if (worker === this.#parked) this.#parked = undefined;
    if (this.#closed || worker !== this.#current) return;
    const next = this.#parked ?? this.#standby;
    if (next === undefined || next.isGone) {
      this.emit('vacant');
    } else {
      this.#others.add(worker);
      this.#putBack(next);
    }
  }

  #release(worker) {
    worker.release();
    if (worker.isReady) this.emit('serves');
  }

  #putBack(worker) {
    if (worker === this.#parked) this.#parked = undefined;
    if (worker === this.#standby) this.#standby = undefined;
    this.#others.delete(worker);
    this.#current = worker;
    if (!this.spare) this.#release(worker);
  }

  #onDead(worker, exit) {
    if (worker === this.#standby) this.#standby = undefined;
    const expected = this.#closed || worker.hasBeenTold;
    let delay;
    if (worker === this.#current && !this.#closed) {
      this.crashes = countCrash(this.crashes, worker.readyFor, this.#settings.minUptime);
      delay = delayAfter(this.crashes, this.#settings.backoff);
      this.#timer = setTimeout(() => this.start(), delay);
      // First: who hears it may close this place.
      this.emit('crash', worker, exit, this.crashes);
      if (this.#closed) delay = undefined;
    }
    this.#others.delete(worker);
    if (worker === this.#current && this.#closed) this.#current = undefined;
    this.emit('worker', 'exit', worker, { ...exit, expected, delay });
  }
}

module.exports = { Slot };
