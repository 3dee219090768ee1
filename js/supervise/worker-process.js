'use strict';
/** The primary's side of one worker process: its state, its readiness, its last words and its end. */
const { EventEmitter } = require('node:events');
const cluster = require('../dispatch/index.js');
const { createError } = require('../errors.js');
const { gateEnvironment } = require('./kernel-gate.js');
const { State, advance } = require('./lifecycle.js');
const { envelope } = require('./messages.js');
const { StderrTail } = require('./stderr-tail.js');

const AGENT = require.resolve('./agent.js');

function fork({ exec, args, execArgv, silent, env, policy }, slot) {
  cluster.setupPrimary({
    exec,
    policy,
    args,
    // --require and not a wrapper script: the app stays the main module.
    execArgv: ['--require', AGENT, ...execArgv],
    // stderr is a pipe, so that a death can be reported with its last lines.
    stdio: ['ignore', silent ? 'ignore' : 'inherit', 'pipe', 'ipc'],
  });
  return cluster.fork({ ...gateEnvironment(), ...env, RUSTCLUSTER_SLOT: String(slot) });
}

/**
 * Emits 'state' at each step, 'listening' with an address, and 'dead' once.
 */
class WorkerProcess extends EventEmitter {
  #worker;
  #settings;
  #tail = new StderrTail();
  #timer;
  #ready = withResolvers();
  #exited = withResolvers();
  #exit;

  /**
   * @param {object} settings complete options, of options.js
   * @param {number} slot the place it takes, from 0
   */
  constructor(settings, slot) {
    super();
    this.#settings = settings;
    this.slot = slot;
    this.state = State.STARTING;
    this.startedAt = Date.now();
    this.readyAt = undefined;
    this.addresses = [];
    // Whoever wants the outcome awaits it; a start nobody awaits must not end the process.
    this.#ready.promise.catch(() => {});
    try {
      this.#worker = fork(settings, slot);
    } catch (error) {
      this.#worker = undefined;
      process.nextTick(() => this.#die({ code: null, signal: null, error }));
      return;
    }
    this.#listen(this.#worker);
    const { drainTimeout, killTimeout } = settings;
    this.#send(envelope('configure', { drainTimeout, killTimeout }));
    this.#timer = setTimeout(() => this.#startTimedOut(), settings.readyTimeout);
  }

  get id() {
    return this.#worker?.id;
  }

  get pid() {
    return this.#worker?.process.pid;
  }

  /** Milliseconds since it became ready; undefined when it never was. */
  get readyFor() {
    return this.readyAt === undefined ? undefined : Date.now() - this.readyAt;
  }

  /** Resolves once ready; rejects with ERR_WORKER_START when it dies or times out before. */
  get ready() {
    return this.#ready.promise;
  }

  /** Resolves with `{ code, signal, stderr }` once its process is gone; never rejects. */
  get exited() {
    return this.#exited.promise;
  }

  #listen(worker) {
    worker.process.stderr?.on('data', (chunk) => {
      this.#tail.push(chunk);
      if (!this.#settings.silent) process.stderr.write(chunk);
    });
    worker.on('listening', (address) => {
      this.addresses.push(address);
      this.emit('listening', address);
      if (!this.#settings.waitReady) this.#becomeReady();
    });
    worker.on('message', (message) => {
      if (message === 'ready' && this.#settings.waitReady) this.#becomeReady();
    });
    // A process that could not be spawned has an 'error' and no 'exit'; a failed send to one that dies has both.
    worker.on('error', (error) => {
      if (this.pid === undefined) this.#die({ code: null, signal: null, error });
    });
    worker.on('exit', (code, signal) => {
      this.#exit = { code, signal };
      // 'exit' comes before the last of stderr has been read; 'close' does not come while a grandchild holds the pipe.
      const end = () => this.#die(this.#exit);
      worker.process.once('close', end);
      setTimeout(end, 200).unref();
    });
  }

  #step(to) {
    this.state = advance(this.state, to);
    this.emit('state', to);
  }

  #becomeReady() {
    if (this.state !== State.STARTING) return;
    clearTimeout(this.#timer);
    this.readyAt = Date.now();
    this.#step(State.READY);
    this.#ready.resolve();
  }

  #startTimedOut() {
    const what = this.#settings.waitReady ? "send 'ready'" : 'listen';
    this.#ready.reject(this.startError(`did not ${what} within ${this.#settings.readyTimeout} ms`));
    this.stop();
  }

  #die({ code, signal, error }) {
    if (this.state === State.DEAD) return;
    clearTimeout(this.#timer);
    const stderr = this.#tail.lines() || (error ? error.message : '');
    this.#exit = { code, signal, stderr };
    this.#step(State.DEAD);
    const how = error ? 'could not be started' : `ended ${signal ? `by ${signal}` : `with exit code ${code}`}`;
    this.#ready.reject(this.startError(`${how} before it was ready`, error));
    this.#exited.resolve(this.#exit);
    this.emit('dead', this.#exit);
  }

  /** @returns {Error} ERR_WORKER_START with all that is known of this worker; its message quotes the stderr */
  startError(what, cause) {
    const { code = null, signal = null } = this.#exit ?? {};
    const stderr = this.#tail.lines();
    const quote = stderr === '' ? '' : `; its last lines on stderr:\n${stderr}`;
    const message = `Worker ${this.slot} (pid ${this.pid ?? 'none'}) ${what}${quote}`;
    return createError('ERR_WORKER_START', message, {
      cause,
      slot: this.slot,
      pid: this.pid,
      exitCode: code,
      signal,
      stderr,
    });
  }

  /**
   * Ends it in order: no new connections, what runs is finished, then SIGTERM after `drainTimeout` and SIGKILL
   * `killTimeout` later.
   * @param {'close' | 'linger'} idle what happens to idle kept-alive connections, see agent.js
   * @returns {Promise<object>} {@link exited}
   */
  drain(idle) {
    if (this.state === State.STARTING) return this.stop();
    if (this.state === State.READY) {
      const { drainTimeout } = this.#settings;
      // Said before the timer is set, so that its SIGTERM cannot come before the deadline.
      this.#send(envelope('drain', { idle, deadline: Date.now() + drainTimeout }));
      this.#step(State.DRAINING);
      this.#timer = setTimeout(() => this.stop(), drainTimeout + 1);
    }
    return this.exited;
  }

  /** Ends it now: SIGTERM, and SIGKILL after `killTimeout`. @returns {Promise<object>} {@link exited} */
  stop() {
    if (this.state === State.STOPPING || this.state === State.DEAD) return this.exited;
    clearTimeout(this.#timer);
    this.#step(State.STOPPING);
    this.kill('SIGTERM');
    this.#timer = setTimeout(() => this.kill('SIGKILL'), this.#settings.killTimeout);
    return this.exited;
  }

  /** Sends a signal to its process, if that still lives. */
  kill(signal) {
    // process.kill and not worker.kill: that one would wait for a disconnect first.
    this.#worker?.process.kill(signal);
  }

  /** SIGKILL, on purpose: unlike after a crash its sockets do not stay open for a replacement. */
  endAtOnce() {
    if (this.#worker !== undefined) this.#worker.exitedAfterDisconnect = true;
    this.kill('SIGKILL');
  }

  #send(message) {
    // A worker that dies this moment has closed its channel: its exit tells what there is to tell.
    if (this.#worker.isConnected()) this.#worker.send(message, () => {});
  }
}

function withResolvers() {
  const deferred = {};
  deferred.promise = new Promise((resolve, reject) => Object.assign(deferred, { resolve, reject }));
  return deferred;
}

module.exports = { WorkerProcess };
