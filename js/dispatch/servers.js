'use strict';
/**
 * The TCP servers of a cluster as the primary keeps them: which socket a worker's question is about, who listens on it,
 * and when it closes.
 */
const { constants } = require('node:os');

/**
 * How long a socket whose last worker has crashed stays open for a replacement, in milliseconds. Clients wait in its
 * backlog meanwhile instead of being refused.
 */
const ORPHAN_TIMEOUT = 5000;
/** What libuv gives listen() when the app says nothing. */
const DEFAULT_BACKLOG = 511;
const UV_TCP_IPV6ONLY = 1;

class Servers {
  /** key -> { key, number, sockname, data, policy, members, timer, ended } */
  #byKey = new Map();
  #dispatcher;

  /** @param {() => object} dispatcher */
  constructor(dispatcher) {
    this.#dispatcher = dispatcher;
  }

  /**
   * A worker's server wants to listen.
   * @param {object} worker of node:cluster
   * @param {number} seat the dispatcher's number for it
   * @param {object} query what node:cluster's worker half sends, and `policy`
   * @returns {object} the answer it waits for: `errno`, or the socket's name and number; under `kernel` also `fd`, the
   *   worker's own listening socket, which is the caller's
   */
  query(worker, seat, query) {
    const { address, port, addressType, fd, index } = query;
    const key = `${address}:${port}:${addressType}:${fd}${port === 0 ? `:${index}` : ''}`;
    const known = this.#byKey.get(key);
    if (known?.members.has(worker)) return { key, errno: -constants.errno.EADDRINUSE, data: known.data };
    const server = known ?? this.#open(key, query);
    if (server.errno !== undefined) return { key, errno: server.errno, data: query.data };
    const own = server.policy === 'kernel' ? this.#dispatcher().join(server.number, seat) : undefined;
    if (own?.errno !== undefined) return { key, errno: -own.errno, data: server.data };
    clearTimeout(server.timer);
    server.members.add(worker);
    // Of the first worker that has any, as in node:cluster: TLS tickets of one worker must be good at all.
    server.data ||= query.data;
    const { data, sockname, number } = server;
    return { key, errno: null, data, sockname, rustcluster: { server: number }, fd: own };
  }

  #open(key, { address, port, flags, backlog, policy, data }) {
    const socket = this.#dispatcher().listen({
      address: address ?? undefined,
      port,
      ipv6Only: Boolean(flags & UV_TCP_IPV6ONLY),
      backlog: backlog || DEFAULT_BACKLOG,
      policy,
    });
    if (socket.errno !== undefined) return { errno: -socket.errno };
    const { server: number, ...sockname } = socket;
    // The interface is part of a link-local address (RFC 4007), but not of what the kernel is asked for.
    const [, scope] = address?.split('%') ?? [];
    if (scope !== undefined) sockname.address += `%${scope}`;
    const server = { key, number, sockname, data, policy, members: new Set(), timer: undefined, ended: false };
    this.#byKey.set(key, server);
    return server;
  }

  /** A worker's server is closed. @returns {boolean} whether it was one of ours */
  close(worker, key) {
    const server = this.#byKey.get(key);
    if (server === undefined) return false;
    this.#leave(server, worker);
    return true;
  }

  /** @returns {object[]} the servers that workers take connections for */
  taking(wanted = () => true) {
    return [...this.#byKey.values()].filter((server) => server.members.size > 0 && wanted(server));
  }

  /** A worker drains, or has ended as it was asked to: its sockets close unless others listen on them. */
  leaveAll(worker) {
    for (const server of this.#byKey.values()) this.#leave(server, worker);
  }

  /** A worker has crashed: its sockets stay open for a while, with all that waits in them. */
  orphanAll(worker) {
    for (const server of this.#byKey.values()) {
      if (!server.members.delete(worker) || server.members.size > 0) continue;
      if (server.ended) this.#close(server);
      else server.timer = setTimeout(() => this.#close(server), ORPHAN_TIMEOUT).unref();
    }
  }

  /** Nobody will listen on these sockets any more: who asks for the same address from now on gets a socket of its own. */
  end() {
    for (const server of this.#byKey.values()) {
      server.ended = true;
      if (server.members.size === 0) this.#close(server);
    }
  }

  #leave(server, worker) {
    if (server.members.delete(worker) && server.members.size === 0) this.#close(server);
  }

  #close(server) {
    clearTimeout(server.timer);
    this.#byKey.delete(server.key);
    this.#dispatcher().unlisten(server.number);
  }
}

module.exports = { Servers };
