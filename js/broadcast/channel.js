'use strict';
/** `BroadcastChannel`: the Web interface, across the primary, its workers and their threads. */
const { inspect } = require('node:util');
const { createError } = require('../errors.js');
const check = require('../options.js');
const { decode } = require('./codec.js');
const { BroadcastEvent, DeliveredEvent } = require('./events.js');
const { DEFAULT_MAX_LAG, hub } = require('./hub.js');

const MESSAGES = new Set(['message', 'messageerror']);
/** How long `publish` waits for room unless told otherwise, in milliseconds. */
const DEFAULT_TIMEOUT = 30_000;
const DEFAULT_WAIT = { timeout: DEFAULT_TIMEOUT, signal: undefined };

class BroadcastChannel extends EventTarget {
  #member;
  #name;
  #open = true;
  #held = true;
  #handlers = { message: undefined, messageerror: undefined };
  #warned = false;
  /** There has been a listener for messages beside `onmessage`. */
  #hasListeners = false;

  /**
   * @param {string} name of the channel; anything else is made a string
   * @param {{ maxLag?: number }} [options] `maxLag`: for how many milliseconds a full ring waits for this process to
   *   read, before messages are overwritten and it is told how many; 0 to Infinity, default 1000
   * @throws ERR_INVALID_ARG_TYPE without a name, ERR_OUT_OF_RANGE
   */
  constructor(...args) {
    const [name, options] = args;
    if (args.length === 0) throw check.typeError('name', 'specified', name);
    super();
    this.#name = `${name}`;
    // Before it joins: nobody could close one that was never made.
    const maxLag = checkMaxLag(check.object('options', options).maxLag);
    const { number, channel } = hub().join(this.#name);
    const receive = (kind, buffer, start, end) => this.#receive(kind, buffer, start, end);
    const deliver = (data) => this.#deliver(data);
    const missed = (count) => this.#miss(count);
    this.#member = { number, channel, maxLag, receive, deliver, missed };
    hub().retain(1);
    hub().expect(this.#member);
  }

  get name() {
    return this.#name;
  }

  /** For how many milliseconds a full ring waits for this process. */
  get maxLag() {
    return this.#member.maxLag;
  }

  set maxLag(milliseconds) {
    hub().changeMaxLag(this.#member, checkMaxLag(milliseconds));
  }

  get onmessage() {
    return this.#handlers.message?.handler ?? null;
  }

  set onmessage(handler) {
    this.#setHandler('message', handler);
  }

  get onmessageerror() {
    return this.#handlers.messageerror?.handler ?? null;
  }

  set onmessageerror(handler) {
    this.#setHandler('messageerror', handler);
  }

  addEventListener(type, ...rest) {
    super.addEventListener(type, ...rest);
    this.#note(`${type}`, rest[0]);
  }

  /** A listener has been added. */
  #note(type, listener) {
    if (type === 'message' && listener !== this.#handlers.message?.listener) this.#hasListeners = true;
    // Only who listens reads: a process that only sends has no part in what others wait for.
    if (MESSAGES.has(type) && this.#open) hub().listen(this.#member);
  }

  static {
    // What Node calls however a listener is added, also by EventTarget's own method.
    const hook = Object.getOwnPropertySymbols(EventTarget.prototype).find((one) => one.description === 'kNewListener');
    if (hook !== undefined) {
      const added = EventTarget.prototype[hook];
      const value = function (...args) {
        Reflect.apply(added, this, args);
        this.#note(args[1], args[2]?.callback ?? args[2]);
      };
      Object.defineProperty(BroadcastChannel.prototype, hook, { configurable: true, value });
    }
  }

  /**
   * Sends a value to all other objects with this name: in this process, its threads, and all processes of the cluster.
   * @param {unknown} message anything structured clone takes
   * @throws DataCloneError for a value that cannot be cloned, InvalidStateError once closed
   * @throws ERR_BROADCAST_FULL when the ring has no room; nothing was sent then. ERR_INVALID_THIS
   */
  postMessage(...args) {
    BroadcastChannel.#check(this);
    if (args.length === 0) throw check.typeError('message', 'specified', undefined);
    this.#refuseWhenClosed();
    hub().post(this.#member, args[0]);
  }

  /**
   * The same, waiting for room. Also takes messages larger than the ring, up to 1 GiB.
   * @param {unknown} message as for `postMessage`; cloned at once
   * @param {{ timeout?: number, signal?: AbortSignal }} [options] `timeout`: milliseconds to wait, to
   *   Infinity; default 30,000
   * @returns {Promise<void>} once the message is in the ring, where all who listen will find it
   * @throws as `postMessage`, ERR_BROADCAST_FULL after `timeout`, ABORT_ERR; ERR_OUT_OF_RANGE above 1 GiB
   */
  publish(message, options) {
    // Not async: what has been sent already has one promise, and not three more around it.
    try {
      BroadcastChannel.#check(this);
      const wait = options === undefined ? DEFAULT_WAIT : checkWait(options);
      this.#refuseWhenClosed();
      return hub().publish(this.#member, message, wait);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Sends and gets nothing any more. What was posted before is on its way already. */
  close() {
    BroadcastChannel.#check(this);
    if (!this.#open) return;
    this.unref();
    this.#open = false;
    hub().part(this.#member);
  }

  /** The open channel keeps the process running, as it does from the start. */
  ref() {
    BroadcastChannel.#check(this);
    if (this.#open && !this.#held) {
      this.#held = true;
      hub().retain(1);
    }
    return this;
  }

  /** The process may end although the channel is open. */
  unref() {
    BroadcastChannel.#check(this);
    if (this.#open && this.#held) {
      this.#held = false;
      hub().retain(-1);
    }
    return this;
  }

  /** One taken off its object, as in `setTimeout(channel.postMessage, 100)`, is the commonest mistake. */
  static #check(object) {
    if (typeof object === 'object' && object !== null && #member in object) return;
    throw createError('ERR_INVALID_THIS', 'Value of "this" must be of type BroadcastChannel');
  }

  #refuseWhenClosed() {
    if (!this.#open) throw new DOMException('BroadcastChannel is closed.', 'InvalidStateError');
  }

  #receive(kind, buffer, start, end) {
    // One that was closed by a message of the same batch.
    if (!this.#open) return;
    let data;
    try {
      data = decode(kind, buffer, start, end);
    } catch (error) {
      this.#tellError(error);
      return;
    }
    this.#deliver(data);
  }

  #deliver(data) {
    if (!this.#open) return;
    const { message } = this.#handlers;
    if (this.#hasListeners || typeof message?.handler !== 'function' || !DeliveredEvent.isPossible) {
      this.dispatchEvent(new BroadcastEvent('message', data));
    } else {
      DeliveredEvent.deliver(message.handler, this, data);
    }
  }

  #miss(missed) {
    const message = `${missed} messages on channel '${this.#name}' were overwritten before this process read them`;
    if (this.#open) this.#tellError(createError('ERR_BROADCAST_MISSED', message, { missed }));
  }

  #tellError(error) {
    this.dispatchEvent(new BroadcastEvent('messageerror', error));
    if (this.#handlers.messageerror === undefined && !this.#hearsErrors && !this.#warned) {
      this.#warned = true;
      process.emitWarning(`${error.message}. Listen to 'messageerror' to be told each time`, { code: error.code });
    }
  }

  get #hearsErrors() {
    return require('node:events').getEventListeners(this, 'messageerror').length > 0;
  }

  /** As for all event handlers of the Web: set once, it keeps its place among the listeners. */
  #setHandler(type, handler) {
    const usable = typeof handler === 'function' || (typeof handler === 'object' && handler !== null);
    const known = this.#handlers[type];
    if (!usable) {
      if (known) this.removeEventListener(type, known.listener);
      this.#handlers[type] = undefined;
    } else if (known) {
      known.handler = handler;
    } else {
      const entry = { handler };
      // What it gives is looked at by dispatchEvent(): it may be a promise.
      entry.listener = (event) =>
        typeof entry.handler === 'function' ? Reflect.apply(entry.handler, this, [event]) : undefined;
      this.#handlers[type] = entry;
      this.addEventListener(type, entry.listener);
    }
  }

  [inspect.custom](depth, options) {
    if (depth < 0) return 'BroadcastChannel';
    const shown = { name: this.#name, active: this.#open };
    return `BroadcastChannel ${inspect(shown, { ...options, depth: options.depth == null ? null : options.depth - 1 })}`;
  }
}

for (const name of [
  'name',
  'maxLag',
  'onmessage',
  'onmessageerror',
  'postMessage',
  'publish',
  'close',
  'ref',
  'unref',
]) {
  Object.defineProperty(BroadcastChannel.prototype, name, { enumerable: true });
}
// They tell whether they were called without.
for (const takesOne of [BroadcastChannel, BroadcastChannel.prototype.postMessage]) {
  Object.defineProperty(takesOne, 'length', { value: 1 });
}
Object.defineProperty(BroadcastChannel.prototype, Symbol.toStringTag, {
  configurable: true,
  value: 'BroadcastChannel',
});

function checkWait(options) {
  const { timeout, signal } = check.object('options', options);
  return {
    timeout: check.integer('options.timeout', timeout, { min: 0, endless: true, fallback: DEFAULT_TIMEOUT }),
    signal: check.abortSignal('options.signal', signal),
  };
}

function checkMaxLag(value) {
  return check.integer('maxLag', value, { min: 0, max: 0xfffffffe, endless: true, fallback: DEFAULT_MAX_LAG });
}

module.exports = { BroadcastChannel };
