'use strict';
/** `rustcluster/session`: sessions that every worker knows, for express-session and koa-session. */
const { EventEmitter } = require('node:events');
const { integer, object } = require('../options.js');
const check = require('./check.js');
const { openStore } = require('./index.js');

/** How long a session lives whose cookie does not say, in milliseconds. */
const DAY = 86_400_000;

/** What both kinds of store share: the store, a prefix, a time to live. */
function settings(options) {
  const { store, name = 'sessions', prefix = 'sess:', ttl, ...own } = object('options', options);
  check.opened('options.store', store);
  check.key(prefix, 'options.prefix');
  // Not 0 and not less: a session that has no time left is deleted, and so each would be.
  const lifetime = integer('options.ttl', ttl, { min: 1, endless: true, fallback: DAY });
  return { store: store ?? openStore(name, own), prefix, ttl: lifetime };
}

/**
 * A store for express-session, with all of its optional methods.
 * @example
 * const session = require('express-session');
 * const { ExpressStore } = require('rustcluster/session');
 * app.use(session({ store: new ExpressStore(), secret, resave: false, saveUninitialized: false }));
 */
class ExpressStore extends EventEmitter {
  #settings;

  /**
   * @param {object} [options] of `openStore`, and
   * @param {import('./types').Store} [options.store] one that is open already
   * @param {string} [options.name] of the store to open; default 'sessions'
   * @param {string} [options.prefix] of its keys; default 'sess:'
   * @param {number} [options.ttl] milliseconds a session lives whose cookie has no end; default a day
   */
  constructor(options) {
    super();
    this.#settings = settings(options);
  }

  get(id, callback) {
    answer(callback, () => this.#settings.store.get(this.#key(id)));
  }

  set(id, session, callback) {
    answer(callback, async () => {
      const ttl = this.#ttl(session);
      // As JSON, since that is what express-session promises its users: dates become text, methods are left out.
      if (ttl > 0) await this.#settings.store.set(this.#key(id), JSON.parse(JSON.stringify(session)), { ttl });
      else await this.#settings.store.delete(this.#key(id));
    });
  }

  touch(id, session, callback) {
    answer(callback, async () => {
      const { store } = this.#settings;
      const [key, ttl] = [this.#key(id), this.#ttl(session)];
      if (ttl <= 0) return void (await store.delete(key));
      // The cookie's own end is part of the session. What another request has changed meanwhile must stay.
      for (;;) {
        const found = await store.get(key);
        if (found === undefined) return;
        const next = { ...found, cookie: JSON.parse(JSON.stringify(session.cookie)) };
        if (await store.cas(key, found, next, { ttl })) return;
      }
    });
  }

  destroy(id, callback) {
    answer(callback, async () => void (await this.#settings.store.delete(this.#key(id))));
  }

  all(callback) {
    answer(callback, async () => {
      const { store, prefix } = this.#settings;
      const sessions = {};
      for await (const [key, session] of store.entries({ prefix })) sessions[key.slice(prefix.length)] = session;
      return sessions;
    });
  }

  length(callback) {
    answer(callback, async () => {
      const { store, prefix } = this.#settings;
      let count = 0;
      for await (const _key of store.keys({ prefix })) count++;
      return count;
    });
  }

  clear(callback) {
    answer(callback, async () => void (await this.#settings.store.clear(this.#settings.prefix)));
  }

  // What express-session's own base class does with sessions is left to it; it is asked for only once it is there.
  createSession(...args) {
    return base().createSession.apply(this, args);
  }

  load(...args) {
    return base().load.apply(this, args);
  }

  regenerate(...args) {
    return base().regenerate.apply(this, args);
  }

  #key(id) {
    return this.#settings.prefix + id;
  }

  #ttl({ cookie }) {
    if (!cookie?.expires) return this.#settings.ttl;
    return Math.ceil(new Date(cookie.expires).getTime() - Date.now());
  }
}

const base = () => require('express-session').Store.prototype;

/** Gives what `work` gives to a callback in Node's manner, which is called outside of any promise. */
function answer(callback, work) {
  work().then(
    (value) => setImmediate(() => callback?.(null, value)),
    (error) => setImmediate(() => callback?.(error)),
  );
}

/**
 * An external store for koa-session.
 * @example
 * const session = require('koa-session').default;
 * const { KoaStore } = require('rustcluster/session');
 * app.use(session({ store: new KoaStore() }, app));
 */
class KoaStore {
  #settings;

  /** @param {object} [options] as those of {@link ExpressStore}; `ttl` is for sessions whose maxAge is 'session' */
  constructor(options) {
    this.#settings = settings(options);
  }

  async get(id) {
    return this.#settings.store.get(this.#settings.prefix + id);
  }

  async set(id, session, maxAge) {
    const ttl = typeof maxAge === 'number' && maxAge > 0 ? Math.ceil(maxAge) : this.#settings.ttl;
    await this.#settings.store.set(this.#settings.prefix + id, JSON.parse(JSON.stringify(session)), { ttl });
  }

  async destroy(id) {
    await this.#settings.store.delete(this.#settings.prefix + id);
  }
}

module.exports = { ExpressStore, KoaStore };
