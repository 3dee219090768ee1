'use strict';
/**
 * Message events. Node's MessageEvent converts its arguments by the rules of Web IDL, which costs more than all the rest
 * of a delivery; these are instances of it, made without.
 */
class BroadcastEvent extends Event {
  #data;

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

if (globalThis.MessageEvent) {
  Object.setPrototypeOf(BroadcastEvent.prototype, MessageEvent.prototype);
  Object.defineProperty(BroadcastEvent.prototype, 'constructor', { value: MessageEvent });
}

module.exports = { BroadcastEvent };
