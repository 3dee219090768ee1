'use strict';
/** The supervisor: keeps N workers of one app running. Runs in the primary only. */
const { EventEmitter } = require('node:events');
const { isMainThread } = require('node:worker_threads');
const cluster = require('../dispatch/index.js');
const { createError } = require('../errors.js');
const check = require('../options.js');
const { isCrashLoop } = require('./backoff.js');
const { MAX_WORKERS } = require('./options.js');
const { rollingReload } = require('./reload.js');
const { obeySignals } = require('./signals.js');
const { Slot } = require('./slot.js');

// node:cluster has one set of settings and one table of workers in a process.
let running;

class Supervisor extends EventEmitter {
  #settings;
  #slots = new Map();
  #target;
  #state = 'starting';
  #startedAt = Date.now();
  #operations = Promise.resolve();
  #whenReady;
  #settleReady;
  #awaited = false;
  #stopping;
  #failure;
  #stopObeying = () => {};
  #retiring = new Set();
  #counts = { restarts: 0, crashes: 0, reloads: 0 };

  /** @param {object} settings complete options, of options.js */
  constructor(settings) {
    super();
    refuseWhereImpossible();
    running = this;
    this.#settings = settings;
    this.#target = settings.workers;
    this.#whenReady = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.#whenReady.catch(() => {});
    if (settings.signals) this.#stopObeying = obeySignals(this);
    // In the next turn: the caller adds listeners first.
    setImmediate(() => {
      if (this.#state === 'starting') this.#fill();
    });
  }

  /**
   * Waits for the start.
   * @returns {Promise<this>} once every worker is ready
   * @throws ERR_CRASH_LOOP, ERR_SUPERVISOR_STATE when it is shut down before
   */
  ready() {
    this.#awaited = true;
    return this.#whenReady;
  }

  /** @returns {import('./types').SupervisorStatus} a snapshot */
  status() {
    const slots = [...this.#slots.values()];
    return {
      pid: process.pid,
      state: this.#state,
      exec: this.#settings.exec,
      uptime: Date.now() - this.#startedAt,
      workers: this.#target,
      ready: slots.filter((slot) => slot.isReady).length,
      ...this.#counts,
      list: slots.flatMap((slot) => slot.processes.map((worker) => describe(worker, slot))),
    };
  }

  /**
   * Replaces every worker, one after the other: the new one is ready before the old one drains.
   * @returns {Promise<void>} once every place has its new worker; the last old ones may still be draining
   * @throws ERR_RELOAD_REFUSED when a new worker does not become ready; the place keeps its old one
   * @throws ERR_SUPERVISOR_STATE while stopping
   */
  reload() {
    return this.#enqueue(async () => {
      this.emit('reload:start', { workers: this.#target });
      try {
        await rollingReload([...this.#slots.values()], () => this.#refuseWhenStopping());
      } catch (error) {
        if (error.code === 'ERR_RELOAD_REFUSED') this.emit('reload:refused', error);
        throw error;
      }
      this.#counts.reloads += 1;
      this.emit('reload:end', { workers: this.#target });
    });
  }

  /**
   * Changes how many workers there are.
   * @param {number} workers from 1 to 1024
   * @returns {Promise<void>} once new ones are ready, or those too many are gone
   * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, ERR_SUPERVISOR_STATE while stopping
   * @throws ERR_WORKER_START when a new worker fails its first start; it is tried again as after any crash
   */
  scale(workers) {
    if (workers === undefined) throw check.typeError('workers', 'a number', workers);
    check.integer('workers', workers, { min: 1, max: MAX_WORKERS });
    return this.#enqueue(async () => {
      const from = this.#target;
      this.#target = workers;
      this.emit('scale', { from, to: workers });
      const surplus = [...this.#slots.values()].slice(workers);
      for (const slot of surplus) this.#slots.delete(slot.index);
      await Promise.all([...this.#fill().map((worker) => worker.ready), ...surplus.map((slot) => this.#retire(slot))]);
    });
  }

  /**
   * Stops in order: no new connections, running requests are finished, at most `drainTimeout` long.
   * @param {{ force?: boolean }} [options] `force`: SIGKILL at once, also while an orderly stop is under way
   * @returns {Promise<void>} once no worker is left; every call gives the same promise
   */
  shutdown(options) {
    const { force = false } = check.object('options', options);
    this.#stopping ??= this.#stop();
    if (force) for (const slot of [...this.#slots.values(), ...this.#retiring]) slot.kill();
    return this.#stopping;
  }

  async #stop() {
    this.#state = 'stopping';
    this.emit('shutdown:start');
    this.#settleReady.reject(stateError('The supervisor was shut down'));
    const leaving = [...this.#retiring];
    await Promise.all([...leaving, ...this.#slots.values()].map((slot) => this.#retire(slot)));
    this.#slots.clear();
    this.#stopObeying();
    this.#state = 'stopped';
    running = undefined;
    const failure = this.#failure;
    if (failure && this.listenerCount('error') > 0) this.emit('error', failure);
    // Thrown outside of this promise: as an uncaught exception, which is what an unheard 'error' is.
    else if (failure) process.nextTick(() => this.emit('error', failure));
    this.emit('shutdown:end');
  }

  async #retire(slot) {
    this.#retiring.add(slot);
    // Nobody will serve an idle connection once all have stopped; after a scaling others will.
    await slot.close(this.#state === 'stopping' ? 'close' : 'linger');
    this.#retiring.delete(slot);
  }

  /** Starts a worker in every place that has none. */
  #fill() {
    const started = [];
    for (let index = 0; index < this.#target; index += 1) {
      if (this.#slots.has(index)) continue;
      const slot = new Slot(this.#settings, index);
      this.#slots.set(index, slot);
      slot.on('worker', (event, worker, detail) => this.#onWorker(slot, event, worker, detail));
      slot.on('crash', (worker, exit, crashes) => this.#onCrash(worker, exit, crashes));
      started.push(slot.start());
    }
    return started;
  }

  #onWorker(slot, event, worker, detail) {
    if (event === 'starting' && slot.restarts > 0) this.#counts.restarts += 1;
    this.emit(`worker:${event}`, describe(worker, slot), detail);
    if (this.#state === 'starting' && event === 'ready' && [...this.#slots.values()].every((s) => s.isReady)) {
      this.#state = 'running';
      this.#settleReady.resolve(this);
      this.emit('ready', this.status());
    }
  }

  #onCrash(worker, { code, signal, stderr }, crashes) {
    this.#counts.crashes += 1;
    const anySound = [...this.#slots.values()].some((slot) => slot.isSound);
    if (this.#stopping || !isCrashLoop(crashes, this.#settings.maxCrashes, anySound)) return;
    const how = signal ? `by ${signal}` : code === null ? 'before it was spawned' : `with exit code ${code}`;
    const error = createError(
      'ERR_CRASH_LOOP',
      `Worker ${worker.slot} (pid ${worker.pid ?? 'none'}) ended ${how}, ${crashes} times in a row and no worker is ` +
        `sound: giving up${stderr === '' ? '' : `; its last lines on stderr:\n${stderr}`}`,
      { slot: worker.slot, pid: worker.pid, exitCode: code, signal, stderr },
    );
    // Not where ready() has just told the caller and nobody listens: an unheard 'error' ends the process.
    if (!this.#awaited || this.#state !== 'starting' || this.listenerCount('error') > 0) this.#failure = error;
    this.#settleReady.reject(error);
    this.shutdown();
  }

  /** One change at a time, in the order asked for. */
  #enqueue(operation) {
    const result = this.#operations.then(() => {
      this.#refuseWhenStopping();
      return operation();
    });
    this.#operations = result.catch(() => {});
    return result;
  }

  #refuseWhenStopping() {
    if (this.#stopping) throw stateError('The supervisor is stopping');
  }
}

const stateError = (message) => createError('ERR_SUPERVISOR_STATE', message);

function refuseWhereImpossible() {
  if (!cluster.isPrimary) throw stateError('supervise() was called in a worker: only a primary has workers');
  if (!isMainThread) throw stateError('supervise() was called in a worker thread: only the main thread can supervise');
  if (running) throw stateError('This process has a supervisor already; shut that one down first');
}

/** @returns {import('./types').WorkerStatus} */
function describe(worker, slot) {
  const { id, pid, state, startedAt, readyAt, addresses } = worker;
  return { slot: slot.index, id, pid, state, startedAt, readyAt, restarts: slot.restarts, addresses: [...addresses] };
}

module.exports = { Supervisor };
