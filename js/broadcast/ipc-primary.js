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
  /** its number of an object -> who sends for it */
  #senders = new Map();

  /** @param {(message: object) => void} reply */
  constructor(reply) {
    this.#reply = reply;
  }

  listen = ({ channel, name, on }) => {
    const known = this.#listeners.get(channel);
    if (!on) {
      if (known) hub().leave(known);
      this.#listeners.delete(channel);
    } else if (known === undefined) {
      const member = { ...hub().join(name), maxLag: Number.POSITIVE_INFINITY };
      member.receiveFrom = (sender, kind, bytes) => this.#forward(channel, sender, kind, bytes);
      member.missed = (count) => this.#send('missed', { channel, count });
      this.#listeners.set(channel, member);
      hub().listen(member);
    }
  };

  publish = ({ name, object, kind, data }) => {
    let sender = this.#senders.get(object);
    if (sender === undefined) {
      sender = hub().join(name);
      this.#senders.set(object, sender);
    }
    hub().relay(sender, kind, Buffer.from(data, 'base64'));
  };

  end() {
    for (const member of this.#listeners.values()) hub().leave(member);
    this.#listeners.clear();
  }

  #forward(channel, sender, kind, bytes) {
    // It knows its own objects by its own numbers.
    const own = [...this.#senders].find(([, { number }]) => number === sender);
    this.#send('message', { channel, kind, object: own?.[0] ?? 0, data: bytes.toString('base64') });
  }

  #send(act, body) {
    this.#reply(envelope(act, body));
  }
}

/** Not at load: a primary whose workers all share its memory needs none. */
const hub = () => require('./hub.js').hub();

module.exports = { serve, serveThreads };
