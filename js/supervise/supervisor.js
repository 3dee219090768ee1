'use strict';
/** The supervisor: keeps N workers of one app running. Runs in the primary only. */
const { EventEmitter } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');
const { isMainThread } = require('node:worker_threads');
const cluster = require('../dispatch/index.js');
const { createError } = require('../errors.js');
const check = require('../options.js');
const { isCrashLoop } = require('./backoff.js');
const { openControl } = require('./control.js');
const { dispatch } = require('./fork.js');
const { MAX_WORKERS } = require('./options.js');
const { Places } = require('./places.js');
const { startReaping } = require('./reaper.js');
const { startRecycling } = require('./recycling.js');
const { rollingReload } = require('./reload.js');
const { obeySignals } = require('./signals.js');
const { Watchdog } = require('./watchdog.js');

// node:cluster has one set of settings and one table of workers in a process.
let running;

/** From a worker's first connection to evening out, in milliseconds: several servers of an app listen at once. */
const SETTLE = 10;
/** When everything stops, and for so long no worker takes one of the connections there are, none will. In milliseconds. */
const TAKE_PATIENCE = 1000;

class Supervisor extends EventEmitter {
  #settings;
  #places;
  #watchdog;
  #target;
  #state = 'starting';
  #startedAt = Date.now();
  #operations = Promise.resolve();
  #whenReady;
  #settleReady;
  #awaited = false;
  #stopping;
  #forced = false;
  /** Aborted when the supervisor is told to stop. */
  #stop = new AbortController();
  #failure;
  /** An evening out of connections that has not begun. */
  #evening;
  /** Undoes what the constructor has set up outside of this object. */
  #closers = [];
  #counts = { restarts: 0, crashes: 0, reloads: 0, stalls: 0 };

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
    this.#places = new Places(settings)
      .on('worker', (...given) => this.#onWorker(...given))
      .on('crash', (_slot, worker, exit, crashes) => this.#onCrash(worker, exit, crashes));
    if (settings.rebalance) this.#places.on('serves', () => this.#evenOut());
    this.#watchdog = new Watchdog(settings.stallTimeout, (look, worker) => this.#onLook(look, worker));
    this.#closers.push(
      startReaping(),
      startRecycling(
        settings,
        () => this.#places.all,
        (...it) => this.#renew(...it),
      ),
    );
    if (settings.signals) this.#closers.push(obeySignals(this));
    try {
      this.#closers.push(openControl(this, settings));
    } catch (error) {
      running = undefined;
      for (const close of this.#closers) close();
      throw error;
    }
    // In the next turn: the caller adds listeners first.
    setImmediate(() => {
      if (this.#state === 'starting') this.#places.fill(this.#target);
    });
  }

  /**
   * Waits for the start.
   * @returns {Promise<this>} once every worker is ready, spares included
   * @throws ERR_CRASH_LOOP, ERR_SUPERVISOR_STATE when it is shut down before
   */
  ready() {
    this.#awaited = true;
    return this.#whenReady;
  }

  /** @returns {import('./types').SupervisorStatus} a snapshot */
  status() {
    const { name, exec } = this.#settings;
    return {
      pid: process.pid,
      name,
      state: this.#state,
      exec,
      uptime: Date.now() - this.#startedAt,
      workers: this.#target,
      ready: this.#places.active.filter((slot) => slot.isReady).length,
      spares: this.#places.spares.filter((slot) => slot.isReady).length,
      ...this.#counts,
      list: [...this.#places.all, ...this.#places.retiring].flatMap((slot) =>
        slot.processes.map((worker) => describe(worker, slot)),
      ),
    };
  }

  /**
   * Replaces every worker. New ones start first and prove themselves; old ones go only when the last new one has, and
   * are all put back when one has not.
   * @returns {Promise<void>} once every place has its new worker; old ones may still be draining
   * @throws ERR_RELOAD_REFUSED when a new worker fails; then all workers are the old ones
   * @throws ERR_SUPERVISOR_STATE while stopping
   */
  reload() {
    return this.#enqueue(async () => {
      const { concurrency, probation } = this.#settings;
      this.emit('reload:start', { workers: this.#target });
      const tell = (step) => this.emit('reload:step', step);
      try {
        await rollingReload(this.#places.all, { concurrency, probation, tell, signal: this.#stop.signal });
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
   * @param {number} workers from 1 to 1024, spares not counted
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
      const trimmed = this.#places.trim(workers);
      await Promise.all([...this.#places.fill(workers).map((worker) => worker.ready), trimmed]);
    });
  }

  /**
   * Stops in order: no new connections, running requests are finished, at most `drainTimeout` long.
   * @param {{ force?: boolean }} [options] `force`: SIGKILL at once, also while an orderly stop is under way
   * @returns {Promise<void>} once no worker is left; every call gives the same promise
   */
  shutdown(options) {
    const { force = false } = check.object('options', options);
    this.#stopping ??= this.#close();
    this.#forced ||= force;
    if (force) this.#places.kill();
    return this.#stopping;
  }

  async #close() {
    this.#state = 'stopping';
    this.#stop.abort(stateError('The supervisor is stopping'));
    this.emit('shutdown:start');
    this.#settleReady.reject(stateError('The supervisor was shut down'));
    this.#watchdog.stop();
    // Before the wait, in which nobody is to be started.
    this.#places.freeze();
    const { drainTimeout } = this.#settings;
    const nobody = () => this.#forced || !this.#places.all.some(({ isReady }) => isReady);
    await dispatch.stopListening({ within: drainTimeout, patience: TAKE_PATIENCE }, nobody);
    await this.#places.close();
    this.#state = 'stopped';
    running = undefined;
    const failure = this.#failure;
    if (failure && this.listenerCount('error') > 0) this.emit('error', failure);
    // Thrown outside of this promise: as an uncaught exception, which is what an unheard 'error' is.
    else if (failure) process.nextTick(() => this.emit('error', failure));
    this.emit('shutdown:end');
    for (const close of this.#closers) close();
  }

  #onWorker(slot, event, worker, detail) {
    if (event === 'starting' && slot.restarts > 0) this.#counts.restarts += 1;
    if (event === 'ready' && !this.#stopping) this.#watchdog.add(worker);
    else if (event !== 'listening' && event !== 'drained') this.#watchdog.remove(worker);
    this.emit(`worker:${event}`, describe(worker, slot), detail);
    if (this.#state === 'starting' && event === 'ready' && this.#places.all.every(({ isReady }) => isReady)) {
      this.#state = 'running';
      this.#settleReady.resolve(this);
      this.emit('ready', this.status());
    }
  }

  #onCrash(worker, { code, signal, stderr }, crashes) {
    this.#counts.crashes += 1;
    const anySound = this.#places.all.some((slot) => slot.isSound);
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

  /** The watchdog has seen something of a worker's event loop. */
  #onLook(look, worker) {
    const slot = this.#places.all.find(({ processes }) => processes.includes(worker));
    if (slot === undefined || !worker.isReady || worker.isGone) return;
    const isCurrent = worker === slot.current;
    if (look === 'suspect' && isCurrent) slot.prepare();
    if (look === 'recovered' && isCurrent) slot.dismiss();
    if (look !== 'stalled') return;
    this.#counts.stalls += 1;
    this.emit('worker:stalled', describe(worker, slot), { stallTimeout: this.#settings.stallTimeout });
    if (isCurrent) slot.giveUp();
    else worker.giveUp();
  }

  /** Once what is under way is over: during a reload the old workers still have their connections. */
  #evenOut() {
    this.#evening ??= this.#enqueue(async () => {
      this.#evening = undefined;
      await sleep(SETTLE);
      await cluster.rebalance();
    }).catch(() => {});
  }

  /** A worker has passed a limit: a new one takes its place. */
  #renew(slot, worker, detail) {
    return this.#enqueue(async () => {
      // It may have ended while other changes were under way.
      if (slot.current !== worker || !slot.isReady) return;
      this.emit('worker:renew', describe(worker, slot), detail);
      await slot.replace();
    });
  }

  /** One change at a time, in the order asked for. */
  #enqueue(operation) {
    const result = this.#operations.then(() => {
      this.#stop.signal.throwIfAborted();
      return operation();
    });
    this.#operations = result.catch(() => {});
    return result;
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
  const role = slot.roleOf(worker);
  const { index, restarts } = slot;
  return { slot: index, id, pid, state, role, startedAt, readyAt, restarts, addresses: [...addresses] };
}

module.exports = { Supervisor };
