'use strict';
/**
 * Message events. Node's MessageEvent converts its arguments by the rules of Web IDL, which costs more than all the rest
 * of a delivery; these are instances of it, made without.
 */
class BroadcastEvent extends Event {
  #data;
  #target;
  #isDispatched = false;

  /** @param {string} type @param {unknown} data @param {EventTarget} target it is for, where `deliver` is to be used */
  constructor(type, data, target = null) {
    super(type);
    this.#data = data;
    this.#target = target;
  }

  /**
   * Calls the one handler there is, as `dispatchEvent` would at several times the price.
   * @param {Function} handler
   */
  deliver(handler) {
    this.#isDispatched = true;
    try {
      const result = Reflect.apply(handler, this.#target, [this]);
      if (result !== undefined && result !== null) catchLater(result);
    } catch (error) {
      throwLater(error);
    }
    this.#isDispatched = false;
  }

  get target() {
    return super.target ?? this.#target;
  }

  get srcElement() {
    return this.target;
  }

  get currentTarget() {
    return super.currentTarget ?? (this.#isDispatched ? this.#target : null);
  }

  get eventPhase() {
    return super.eventPhase || (this.#isDispatched ? Event.AT_TARGET : Event.NONE);
  }

  composedPath() {
    return this.#isDispatched ? [this.#target] : super.composedPath();
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
// As those of MessageEvent are; `deliver` is ours, and no part of the interface.
for (const name of Object.getOwnPropertyNames(BroadcastEvent.prototype)) {
  if (name !== 'deliver' && name !== 'constructor') {
    Object.defineProperty(BroadcastEvent.prototype, name, { enumerable: true });
  }
}

module.exports = { BroadcastEvent };
