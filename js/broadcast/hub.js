'use strict';
/**
 * The broadcast of one JavaScript environment: its open channels by name, what waits to be sent, and the transport below.
 */
const cluster = require('node:cluster');
const { isMainThread } = require('node:worker_threads');
const { createError } = require('../errors.js');
const { encode } = require('./codec.js');
const { Outbox } = require('./outbox.js');
const { chooseTransport } = require('./transport.js');

/** Milliseconds that the ring may be full on this environment's account, unless a channel says otherwise. */
const DEFAULT_MAX_LAG = 1000;
const FOR_EVER = 0xffffffff;

/**
 * An object on a channel: what it says under these names is called when something comes for it.
 * @typedef {{ number: number, channel: object, maxLag: number, receive(kind: number, buffer: Buffer, start: number,
 *   end: number): void, deliver?(value: unknown): void, missed(count: number): void }} Member
 */

class Hub {
  /** name -> { id, name, members: Set of listening members } */
  #byName = new Map();
  #byId = new Map();
  #members = new Set();
  #lastNumber = 0;
  #alive = 0;
  #transport;
  #outbox;

  constructor() {
    const receive = {
      message: (id, kind, sender, buffer, start, end) => this.#message(id, kind, sender, buffer, start, end),
      value: (id, sender, value) => this.#value(id, sender, value),
      missed: (...args) => this.#missed(...args),
      room: () => this.#outbox.flush(),
    };
    const choice = chooseTransport();
    const ring = choice.name === 'ring' ? openRing(choice, receive) : undefined;
    this.transport = ring ? 'ring' : 'ipc';
    this.#transport = ring ?? require('./ipc.js').connect(receive);
    this.#outbox = new Outbox(this.#transport);
    // Its first member is waited for by default; `retain` says otherwise.
    this.#transport.setMaxLag(DEFAULT_MAX_LAG);
  }

  /** @returns {{ number: number, channel: object }} a number no other object of this environment has */
  join(name) {
    let channel = this.#byName.get(name);
    if (channel === undefined) {
      channel = { id: this.#transport.channel(name), name, members: new Set() };
      this.#byName.set(name, channel);
      this.#byId.set(channel.id, channel);
    }
    return { number: ++this.#lastNumber, channel };
  }

  /** From here on a member gets what others send. @param {Member} member */
  listen(member) {
    if (member.channel.members.has(member)) return;
    member.channel.members.add(member);
    this.#members.add(member);
    this.#tell(member.channel);
  }

  /** A member gets nothing any more. @param {Member} member */
  leave(member) {
    if (!member.channel.members.delete(member)) return;
    this.#members.delete(member);
    this.#tell(member.channel);
  }

  /** One more, or one fewer, that keeps the event loop running. @param {1 | -1} by */
  retain(by) {
    this.#alive += by;
    this.#transport.keepAlive(this.#alive > 0);
  }

  /** The most patient member decides how long the ring waits for this environment. */
  updateMaxLag() {
    const lags = [...this.#members].map(({ maxLag }) => maxLag);
    const longest = lags.length === 0 ? DEFAULT_MAX_LAG : Math.max(...lags);
    this.#transport.setMaxLag(Math.min(longest, FOR_EVER));
  }

  /** @throws DataCloneError, ERR_BROADCAST_FULL */
  post({ channel, number }, value) {
    this.#outbox.post(channel.id, number, encode(value));
  }

  /** @returns {Promise<void>} once it is in the ring @throws as {@link post}, after `timeout`; the signal's abort */
  publish({ channel, number }, value, { timeout, signal }) {
    return this.#outbox.publish(channel.id, number, encode(value), timeout, signal);
  }

  /** Sends what another process has encoded, in its object's stead; waits for room for as long as it takes. */
  relay({ channel, number }, kind, bytes) {
    const message = { kind, buffer: bytes, start: 0, length: bytes.length };
    this.#outbox.publish(channel.id, number, message, Number.POSITIVE_INFINITY).catch(() => {});
  }

  #tell({ id, members }) {
    const [only] = members;
    if (!this.#transport.listen(id, members.size, members.size === 1 && !only.receiveFrom ? only.number : 0)) {
      throw createError('ERR_BROADCAST_FULL', 'The ring could not be joined: another process holds its lock');
    }
    this.updateMaxLag();
  }

  #message(id, kind, sender, buffer, start, end) {
    const channel = this.#byId.get(id);
    if (channel === undefined) return;
    for (const member of channel.members) {
      if (member.receiveFrom !== undefined) member.receiveFrom(sender, kind, buffer.subarray(start, end));
      else if (member.number !== sender) member.receive(kind, buffer, start, end);
    }
  }

  /** A message that has been read already. @returns {boolean} false: each of several objects needs a copy of its own */
  #value(id, sender, value) {
    const members = this.#byId.get(id)?.members;
    if (members?.size !== 1) return false;
    const [only] = members;
    if (only.deliver === undefined) return false;
    if (only.number !== sender) only.deliver(value);
    return true;
  }

  #missed(id, count, own) {
    for (const member of this.#byId.get(id)?.members ?? []) {
      const others = count - (own?.get(member.number) ?? 0);
      if (others > 0) member.missed(others);
    }
  }
}

/**
 * @returns {object | undefined} nothing for a worker that cannot: its primary stands in for it, and for a thread its main
 *   thread
 * @throws what stands in the way of all others, who would be cut off from the rest
 */
function openRing(choice, receive) {
  const { Ring } = require('./ring.js');
  try {
    return new Ring(choice, receive);
  } catch (cause) {
    const reason = `The memory of broadcasts could not be opened: ${cause.message}`;
    if (!cluster.isWorker && isMainThread) throw createError('ERR_BROADCAST_MEMORY', reason, { cause });
    process.emitWarning(`${reason}. Broadcasts go through the ${isMainThread ? 'primary' : 'main thread'}`, {
      code: 'ERR_BROADCAST_MEMORY',
    });
    return undefined;
  }
}

let instance;

/** @returns {Hub} this environment's, made when first asked for */
function hub() {
  instance ??= new Hub();
  return instance;
}

module.exports = { DEFAULT_MAX_LAG, hub };
