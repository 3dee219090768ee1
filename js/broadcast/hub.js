'use strict';
/**
 * The broadcast of one JavaScript environment: its open channels by name, what waits to be sent, and the transport below.
 */
const cluster = require('node:cluster');
const { isMainThread } = require('node:worker_threads');
const { createError } = require('../errors.js');
const { acquaint } = require('./acquaint.js');
const { encode } = require('./codec.js');
const { Outbox } = require('./outbox.js');
const { chooseTransport, isCutOff } = require('./transport.js');

/** Milliseconds that the ring may be full on this environment's account, unless a channel says otherwise. */
const DEFAULT_MAX_LAG = 1000;
const FOR_EVER = 0xffffffff;

/**
 * An object on a channel: what it says under these names is called when something comes for it. One that stands for an
 * object elsewhere has `receiveFrom` in place of the first two.
 * @typedef {{ number: number, channel: object, maxLag: number, receive(kind: number, buffer: Buffer, start: number,
 *   end: number): void, deliver(value: unknown): void, missed(count: number): void,
 *   receiveFrom?(sender: number, kind: number, bytes: Buffer): void }} Member
 */

class Hub {
  /** name -> { id, name, members: Set of listening members, only: the one, objects: how many have it open } */
  #byName = new Map();
  #byId = new Map();
  /** maxLag -> how many listening members ask for it. */
  #lags = new Map();
  /** Members that have no listener yet and are given what comes until the turn ends. */
  #newcomers = new Set();
  /** Channels of which the last object has been closed. */
  #deserted = new Set();
  #endsTurn = false;
  #lastNumber = 0;
  #alive = 0;
  #longest = DEFAULT_MAX_LAG;
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
    if (isCutOff()) {
      const why = 'its primary has not loaded rustcluster before it started this worker';
      process.emitWarning(`Broadcasts reach nobody outside this process: ${why}`, { code: 'ERR_BROADCAST_MEMORY' });
    }
    const ring = choice.name === 'ring' ? openRing(choice, receive) : undefined;
    this.transport = ring ? 'ring' : 'ipc';
    this.#transport = ring ?? require('./ipc.js').connect(receive);
    this.#outbox = new Outbox(this.#transport, () => this.#deserted.size > 0 && this.#endTurnSoon());
    this.#transport.setMaxLag(DEFAULT_MAX_LAG);
    acquaint(encode, [0, '', {}, new Uint8Array(0), Buffer.alloc(0), new ArrayBuffer(0)]);
  }

  /** Opens a channel for an object. @returns {{ number: number, channel: object }} a number no other object has */
  join(name) {
    let channel = this.#byName.get(name);
    if (channel === undefined) {
      channel = { id: this.#transport.channel(name), name, members: new Set(), only: undefined, objects: 0 };
      this.#byName.set(name, channel);
      this.#byId.set(channel.id, channel);
    }
    channel.objects++;
    return { number: ++this.#lastNumber, channel };
  }

  /** Undoes `join`: nothing is kept of a name that no object has open. @param {Member} member */
  part(member) {
    this.leave(member);
    const { channel } = member;
    if (--channel.objects > 0) return;
    this.#deserted.add(channel);
    this.#endTurnSoon();
  }

  /**
   * A new member may get its listener later in this turn. Node's objects get what was posted meanwhile: so does this one.
   * @param {Member} member
   */
  expect(member) {
    try {
      this.#listen(member);
    } catch {
      // Then it misses that, as who listens later misses what came before.
      return;
    }
    this.#newcomers.add(member);
    this.#endTurnSoon();
  }

  /** From here on a member gets what others send. @param {Member} member @throws ERR_BROADCAST_FULL */
  listen(member) {
    this.#newcomers.delete(member);
    this.#listen(member);
  }

  /** A member gets nothing any more. @param {Member} member */
  leave(member) {
    this.#newcomers.delete(member);
    if (!member.channel.members.delete(member)) return;
    this.#tell(member.channel);
    this.#countLag(member.maxLag, -1);
  }

  /** One more, or one fewer, that keeps the event loop running. @param {1 | -1} by */
  retain(by) {
    this.#alive += by;
    this.#transport.keepAlive(this.#alive > 0);
  }

  /** @param {Member} member @param {number} maxLag of it from now on */
  changeMaxLag(member, maxLag) {
    const before = member.maxLag;
    member.maxLag = maxLag;
    if (!member.channel.members.has(member)) return;
    this.#countLag(maxLag, 1);
    this.#countLag(before, -1);
  }

  /** @throws DataCloneError, ERR_BROADCAST_FULL */
  post(member, value) {
    if (this.#newcomers.size > 0) this.#startSending(member);
    this.#outbox.post(member.channel.id, member.number, encode(value));
  }

  /** @returns {Promise<void>} once it is in the ring @throws as {@link post}, after `timeout`; the signal's abort */
  publish(member, value, { timeout, signal }) {
    if (this.#newcomers.size > 0) this.#startSending(member);
    return this.#outbox.publish(member.channel.id, member.number, encode(value), timeout, signal);
  }

  /** Sends what another process has encoded, in its object's stead; waits for room for as long as it takes. */
  relay({ channel, number }, kind, bytes) {
    const message = { kind, buffer: bytes, start: 0, length: bytes.length };
    this.#outbox.publish(channel.id, number, message, Number.POSITIVE_INFINITY).catch(({ code, message: why }) => {
      process.emitWarning(`A message on channel '${channel.name}' of a worker without the ring is lost: ${why}`, {
        code,
      });
    });
  }

  /** One that sends first is mostly there to send: who is opened after that must not be given what it has sent. */
  #startSending(member) {
    if (this.#newcomers.has(member)) this.leave(member);
  }

  #listen(member) {
    const { members } = member.channel;
    if (members.has(member)) return;
    members.add(member);
    if (!this.#tell(member.channel)) {
      members.delete(member);
      chooseOnly(member.channel);
      throw createError('ERR_BROADCAST_FULL', 'The ring could not be joined: another process holds its lock');
    }
    this.#countLag(member.maxLag, 1);
  }

  #tell(channel) {
    chooseOnly(channel);
    return this.#transport.listen(channel.id, channel.members.size, channel.only?.number ?? 0);
  }

  /** The most patient member decides how long the ring waits for this environment. */
  #countLag(maxLag, by) {
    const count = (this.#lags.get(maxLag) ?? 0) + by;
    if (count > 0) this.#lags.set(maxLag, count);
    else this.#lags.delete(maxLag);
    const longest = this.#lags.size === 0 ? DEFAULT_MAX_LAG : Math.max(...this.#lags.keys());
    if (longest === this.#longest) return;
    this.#longest = longest;
    this.#transport.setMaxLag(Math.min(longest, FOR_EVER));
  }

  #endTurnSoon() {
    if (this.#endsTurn) return;
    this.#endsTurn = true;
    setImmediate(() => this.#endTurn());
  }

  #endTurn() {
    this.#endsTurn = false;
    for (const member of this.#newcomers) this.leave(member);
    // What still waits for room names its channel by number: that must not be another one's by then.
    if (!this.#outbox.isEmpty) return;
    // Not before: a batch of messages that is being handed over names channels by number, too.
    for (const channel of this.#deserted) {
      if (channel.objects > 0) continue;
      this.#byName.delete(channel.name);
      this.#byId.delete(channel.id);
      this.#transport.forget(channel.id);
    }
    this.#deserted.clear();
  }

  #message(id, kind, sender, buffer, start, end) {
    const channel = this.#byId.get(id);
    if (channel === undefined) return;
    const { members } = channel;
    const [first] = members;
    // Who is opened by a handler of this message is not to get it, too.
    const others = members.size > 1 ? [...members].slice(1) : undefined;
    if (first !== undefined) give(first, kind, sender, buffer, start, end);
    if (others !== undefined) for (const member of others) give(member, kind, sender, buffer, start, end);
  }

  /** A message that has been read already. @returns {boolean} false: each of several objects needs a copy of its own */
  #value(id, sender, value) {
    const only = this.#byId.get(id)?.only;
    if (only === undefined) return false;
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

/** Who alone listens here, and for itself: told of what has been read already, and of nothing it has sent. */
function chooseOnly(channel) {
  const [first] = channel.members;
  channel.only = channel.members.size === 1 && first.receiveFrom === undefined ? first : undefined;
}

function give(member, kind, sender, buffer, start, end) {
  if (member.receiveFrom !== undefined) member.receiveFrom(sender, kind, buffer.subarray(start, end));
  else if (member.number !== sender) member.receive(kind, buffer, start, end);
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
