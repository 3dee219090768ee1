'use strict';
/** The primary's side of one worker process: its state, its readiness, its last words and its end. */
const { EventEmitter } = require('node:events');
const { createError } = require('../errors.js');
const { cluster, dispatch, fork } = require('./fork.js');
const { State, advance } = require('./lifecycle.js');
const { envelope, handle } = require('./messages.js');
const { StderrTail } = require('./stderr-tail.js');

/** How long the last of stderr may take after a process has ended, in milliseconds. */
const LAST_WORDS = 200;

/**
 * Emits 'state' at each step, 'listening' with an address, 'drained' with what became of its connections, 'gone' at once when its process has ended, and 'dead' with
 * `{ code, signal, stderr }` when its last words are read, too.
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
   * @param {boolean} [held] whether it gets no connections until `release()`
   */
  constructor(settings, slot, held = false) {
    super();
    this.#settings = settings;
    this.slot = slot;
    this.state = State.STARTING;
    this.held = held;
    this.startedAt = Date.now();
    this.readyAt = undefined;
    this.addresses = [];
    /** Whether the supervisor has asked it to go. */
    this.hasBeenTold = false;
    this.isGivenUp = false;
    /** Bytes, as the worker itself has said; undefined where nobody asks it. */
    this.memory = undefined;
    // Whoever wants the outcome awaits it; a start nobody awaits must not end the process.
    this.#ready.promise.catch(() => {});
    try {
      this.#worker = fork(settings, slot, held);
    } catch (error) {
      this.#worker = undefined;
      process.nextTick(() => this.#die({ code: null, signal: null, error }));
      return;
    }
    this.#listen(this.#worker);
    const { drainTimeout, killTimeout, maxMemory } = settings;
    this.#send(envelope('configure', { drainTimeout, killTimeout, reportMemory: maxMemory !== undefined }));
    this.#timer = setTimeout(() => this.#startTimedOut(), settings.readyTimeout);
  }

  get id() {
    return this.#worker?.id;
  }

  get pid() {
    return this.#worker?.process.pid;
  }

  /** The dispatcher's number for it; undefined where it has none. */
  get seat() {
    return this.#worker && dispatch.idOf(this.#worker);
  }

  get isReady() {
    return this.state === State.READY;
  }

  /** Whether its process has ended, be its last words read or not. */
  get isGone() {
    return this.#exit !== undefined;
  }

  /** Whether the supervisor has told it to go. */
  get isLeaving() {
    return this.state === State.DRAINING || this.state === State.STOPPING;
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
      // Without waitReady, too: an app that never listens can say it.
      if (message === 'ready') this.#becomeReady();
    });
    worker.process.on(
      'internalMessage',
      handle({
        memory: ({ bytes }) => {
          this.memory = bytes;
        },
      }),
    );
    // A process that could not be spawned has an 'error' and no 'exit'; a failed send to one that dies has both.
    worker.on('error', (error) => {
      if (this.pid === undefined) this.#die({ code: null, signal: null, error });
    });
    worker.on('exit', (code, signal) => {
      this.#exit = { code, signal };
      // 'exit' comes before the last of stderr has been read; 'close' does not come while a grandchild holds the pipe.
      const end = () => this.#die(this.#exit);
      worker.process.once('close', end);
      setTimeout(end, LAST_WORDS).unref();
      this.emit('gone');
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
    this.#ready.reject(this.failure(`did not ${what} within ${this.#settings.readyTimeout} ms`));
    this.stop();
  }

  #die({ code, signal, error }) {
    if (this.state === State.DEAD) return;
    clearTimeout(this.#timer);
    const stderr = this.#tail.lines() || (error ? error.message : '');
    this.#exit = { code, signal, stderr };
    this.#ready.reject(this.failure(error ? 'could not be started' : `${this.#how()} before it was ready`, error));
    this.#step(State.DEAD);
    this.#exited.resolve(this.#exit);
    this.emit('dead', this.#exit);
  }

  #how() {
    const { code, signal } = this.#exit;
    return `ended ${signal ? `by ${signal}` : `with exit code ${code}`}`;
  }

  /** @returns {Error} ERR_WORKER_START for one that has ended, or hangs, in the time it had to prove itself */
  unproved() {
    return this.failure(`${this.#exit ? this.#how() : 'hung'} ${this.readyFor} ms after it was ready`);
  }

  /** @returns {Error} ERR_WORKER_START with all that is known of this worker; its message quotes the stderr */
  failure(what, cause) {
    const { code = null, signal = null } = this.#exit ?? {};
    const stderr = this.#tail.lines();
    const last = stderr || (cause ? cause.message : '');
    const quote = last === '' ? '' : `; ${stderr ? 'its last lines on stderr:\n' : ''}${last}`;
    const message = `Worker ${this.slot} (pid ${this.pid ?? 'none'}) ${what}${quote}`;
    const { slot, pid } = this;
    return createError('ERR_WORKER_START', message, { cause, slot, pid, exitCode: code, signal, stderr });
  }

  /** From now on it gets no new connections; those it has stay. */
  hold() {
    this.held = true;
    if (this.#worker && !this.isGone) dispatch.hold(this.#worker);
  }

  /** From now on it gets connections. */
  release() {
    this.held = false;
    if (this.#worker && !this.isGone) dispatch.release(this.#worker);
  }

  /**
   * Ends it in order: no new connections, what runs is finished, then SIGTERM after `drainTimeout` and SIGKILL
   * `killTimeout` later.
   * @param {'close' | 'linger'} idle what happens to idle connections that no other worker can take: see `cluster.drain`
   * @returns {Promise<object>} {@link exited}
   */
  drain(idle) {
    if (this.isGone) return this.exited;
    this.hasBeenTold = true;
    if (this.state === State.STARTING) return this.stop();
    if (this.state === State.READY) {
      const { drainTimeout } = this.#settings;
      // Said before the timer is set, so that its SIGTERM cannot come before the deadline.
      this.#send(envelope('deadline', { deadline: Date.now() + drainTimeout }));
      this.#step(State.DRAINING);
      const { moveConnections: move } = this.#settings;
      cluster.drain(this.#worker, { idle, move }).then((drained) => this.emit('drained', drained));
      this.#timer = setTimeout(() => this.stop(), drainTimeout + 1);
    } else if (this.state === State.DRAINING && idle === 'close') {
      cluster.drain(this.#worker, { idle });
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

  /** SIGKILL to one that hangs, which is no end that was asked for. */
  giveUp() {
    this.isGivenUp = true;
    this.kill('SIGKILL');
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
