'use strict';
/**
 * Message events. Node's MessageEvent converts its arguments by the rules of Web IDL, which costs more than all the rest
 * of a delivery; these are instances of it, made without.
 */
const { arrival } = require('./words.js');

class BroadcastEvent extends Event {
  #data;

  /** @param {string} type @param {unknown} data */
  constructor(type, data) {
    super(type);
    this.#data = data;
  }

  get data() {
    return this.#data;
  }

  get origin() {
    return '';
  }

  get lastEventId() {
    return '';
  }

  get source() {
    return null;
  }

  get ports() {
    return [];
  }
}

/** What `performance.now()` counts from, in nanoseconds of the monotonic clock. */
const ORIGIN = findOrigin();

/** By these Node's Event knows whom it is for, and whether it is on its way; each instance has them. */
const [TARGET, IS_DISPATCHED] = ['kTarget', 'kIsBeingDispatched'].map((name) =>
  Object.getOwnPropertySymbols(new Event('message')).find((one) => one.description === name),
);

/** @type {(event: DeliveredEvent) => BroadcastEvent} */
let eventBehind;

/**
 * The same for the one handler there is. To make an Event costs a sleeper that has been woken for one message a tenth of
 * all it does, and few handlers look at more than the data: so the Event behind it is made when something else is asked for.
 */
class DeliveredEvent {
  #data;
  #target;
  #arrival = arrival[0];
  #isDispatched = true;
  #event;

  /** @param {unknown} data @param {EventTarget} target */
  constructor(data, target) {
    this.#data = data;
    this.#target = target;
  }

  static {
    eventBehind = (event) => (event.#event ??= event.#make());
  }

  /** Whether this version of Node has what it takes. */
  static isPossible = TARGET !== undefined && IS_DISPATCHED !== undefined;

  /**
   * Calls a handler as `dispatchEvent` would, at a fraction of the price.
   * @param {Function} handler
   * @param {EventTarget} target
   * @param {unknown} data
   */
  static deliver(handler, target, data) {
    const event = new DeliveredEvent(data, target);
    try {
      const result = Reflect.apply(handler, target, [event]);
      if (result !== undefined && result !== null) catchLater(result);
    } catch (error) {
      throwLater(error);
    }
    event.#isDispatched = false;
    if (event.#event !== undefined) event.#event[IS_DISPATCHED] = false;
  }

  #make() {
    const event = new BroadcastEvent('message', this.#data);
    event[TARGET] = this.#target;
    event[IS_DISPATCHED] = this.#isDispatched;
    return event;
  }

  get data() {
    return this.#data;
  }

  get timeStamp() {
    return (this.#arrival - ORIGIN) / 1e6;
  }
}

function findOrigin() {
  // The first time either is called takes longer than what is to be measured.
  const look = () => Number(process.hrtime.bigint()) - performance.now() * 1e6;
  return Math.max(look(), look(), look());
}

/** What a handler's promise is rejected with is thrown, as by `dispatchEvent`: no `unhandledRejection`. */
function catchLater(result) {
  const { then } = result;
  if (typeof then !== 'function') return;
  Reflect.apply(then, result, [undefined, throwLater]);
}

function throwLater(error) {
  process.nextTick(() => {
    throw error;
  });
}

if (globalThis.MessageEvent) {
  Object.setPrototypeOf(BroadcastEvent.prototype, MessageEvent.prototype);
  Object.defineProperty(BroadcastEvent.prototype, 'constructor', { value: MessageEvent });
}
Object.setPrototypeOf(DeliveredEvent.prototype, BroadcastEvent.prototype);
Object.defineProperty(DeliveredEvent.prototype, 'constructor', { value: BroadcastEvent.prototype.constructor });
forwardTheRest();
// As those of MessageEvent and Event are.
for (const name of ['data', 'origin', 'lastEventId', 'source', 'ports']) {
  Object.defineProperty(BroadcastEvent.prototype, name, { enumerable: true });
}
for (const name of ['data', 'timeStamp']) Object.defineProperty(DeliveredEvent.prototype, name, { enumerable: true });

/** What an Event has beside what DeliveredEvent says of itself is the Event's, whatever that is in this version of Node. */
function forwardTheRest() {
  // With all that dispatching leaves in one: what is given to `dispatchEvent` once more has that, too.
  const used = new Event('message', { cancelable: true });
  used.stopImmediatePropagation();
  used.preventDefault();
  const { prototype } = DeliveredEvent;
  for (const source of [used, Event.prototype]) {
    for (const name of Reflect.ownKeys(source)) {
      const { value, get, enumerable } = Object.getOwnPropertyDescriptor(source, name);
      // Constants are inherited.
      if (Object.hasOwn(prototype, name) || (source !== used && !get && typeof value !== 'function')) continue;
      const own = typeof value === 'function' ? { value: calling(value), writable: true } : reaching(name);
      Object.defineProperty(prototype, name, { ...own, enumerable, configurable: true });
    }
  }
}

function calling(method) {
  return function (...args) {
    return Reflect.apply(method, eventBehind(this), args);
  };
}

function reaching(name) {
  return {
    get() {
      return eventBehind(this)[name];
    },
    set(value) {
      eventBehind(this)[name] = value;
    },
  };
}

module.exports = { BroadcastEvent, DeliveredEvent };
