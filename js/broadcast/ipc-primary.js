'use strict';
/** In the primary: stands in for workers that have no part in the shared memory; in a main thread, for its threads. */
const { attendThreads } = require('../threads.js');
const { envelope, handle, TOPIC } = require('./ipc-messages.js');

/**
 * Serves a worker, should it ask.
 * @param {object} worker of node:cluster
 * @returns {object} the same
 */
function serve(worker) {
  const client = new Client((message) => {
    if (worker.process.connected) worker.process.send(message, () => {});
  });
  worker.process.on('internalMessage', handle(client));
  worker.process.once('exit', () => client.end());
  return worker;
}

/** In a main thread: serves the threads that are started from now on, should they ask. */
function serveThreads() {
  const clients = new Map();
  attendThreads(TOPIC, {
    message(thread, message, reply) {
      if (!clients.has(thread)) clients.set(thread, new Client(reply));
      handle(clients.get(thread))(message);
    },
    gone(thread) {
      clients.get(thread)?.end();
      clients.delete(thread);
    },
  });
}

/** The objects of a worker or a thread, under this environment's numbers. */
class Client {
  #reply;
  /** its number of a channel -> the stand-in that listens for it */
  #listeners = new Map();
  /** its number of a channel -> its numbers of objects -> who sends for them */
  #senders = new Map();
  /** our number of who sends -> its own of the object */
  #objects = new Map();

  /** @param {(message: object) => void} reply */
  constructor(reply) {
    this.#reply = reply;
  }

  listen = ({ channel, name, on }) => {
    const known = this.#listeners.get(channel);
    if (!on) {
      if (known) hub().part(known);
      this.#listeners.delete(channel);
    } else if (known === undefined) {
      const member = { ...hub().join(name), maxLag: Number.POSITIVE_INFINITY };
      member.receiveFrom = (sender, kind, bytes) => this.#forward(channel, sender, kind, bytes);
      member.missed = (count) => this.#send('missed', { channel, count });
      this.#listeners.set(channel, member);
      hub().listen(member);
    }
  };

  publish = ({ channel, name, object, kind, data }) => {
    hub().relay(this.#sender(channel, name, object), kind, Buffer.from(data, 'base64'));
  };

  /** It has closed its last object of a channel. */
  forget = ({ channel }) => {
    for (const sender of this.#senders.get(channel)?.values() ?? []) {
      this.#objects.delete(sender.number);
      hub().part(sender);
    }
    this.#senders.delete(channel);
  };

  end() {
    for (const member of this.#listeners.values()) hub().part(member);
    this.#listeners.clear();
    for (const channel of this.#senders.keys()) this.forget({ channel });
  }

  #sender(channel, name, object) {
    if (!this.#senders.has(channel)) this.#senders.set(channel, new Map());
    const known = this.#senders.get(channel);
    if (!known.has(object)) {
      const sender = hub().join(name);
      known.set(object, sender);
      this.#objects.set(sender.number, object);
    }
    return known.get(object);
  }

  #forward(channel, sender, kind, bytes) {
    // It knows its own objects by its own numbers.
    this.#send('message', { channel, kind, object: this.#objects.get(sender) ?? 0, data: bytes.toString('base64') });
  }

  #send(act, body) {
    this.#reply(envelope(act, body));
  }
}

/** Not at load: a primary whose workers all share its memory needs none. */
const hub = () => require('./hub.js').hub();

module.exports = { serve, serveThreads };
