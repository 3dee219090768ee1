/** `rustcluster/cluster`: node:cluster, with its way of passing connections replaced. docs/dispatch.md explains. */
import type { Cluster, Worker as NodeWorker } from 'node:cluster';

declare module 'cluster' {
  interface ClusterSettings {
    /** How the servers of this cluster spread connections that say nothing themselves; default 'least-connections'. */
    policy?: rustcluster.Policy | undefined;
    /** Whether `disconnect()` moves idle HTTP/1.1 connections to other workers, as `drain()` does; default false. */
    moveConnections?: boolean | undefined;
    /** Whether connections are evened out, as by `rebalance()`, whenever a worker begins to listen; default false. */
    rebalance?: boolean | undefined;
  }
}

declare module 'net' {
  interface ListenOptions {
    /** In a worker: how this server's connections are spread. The first worker to listen on a port decides. */
    policy?: rustcluster.Policy | undefined;
    /** In a worker: false keeps this server's connections where they are, since the app keeps state of them; default true. */
    moveConnections?: boolean | undefined;
  }
}

declare namespace rustcluster {
  /**
   * - `least-connections`: the worker with the fewest open connections, ties in turn
   * - `round-robin`: each worker in turn
   * - `sticky`: a client address always meets the same worker
   * - `kernel`: a socket with SO_REUSEPORT for each worker
   */
  type Policy = 'least-connections' | 'round-robin' | 'sticky' | 'kernel';

  /** How connections reach a worker's event loop: on it, by a thread that wakes it, or as node:cluster does it. */
  type Transport = 'uv' | 'thread' | 'stock';

  /** What one worker has open. */
  interface Load {
    /** The worker's id. */
    id: number;
    /** Connections it has open, waiting ones included. */
    active: number;
    /** Connections it has not taken yet: they can still go to another worker. */
    waiting: number;
    /** Connections handed to it since it started. */
    total: number;
    /** Connections it has passed on to other workers since it started. */
    moved: number;
    /** Whether its event loop hung when last looked at. */
    stalled: boolean;
  }

  /** What comes on top of node:cluster. */
  interface Additions {
    /** Which transport is in use. */
    readonly transport: Transport;
    /** In the primary: a line for each worker. In a worker: its own. Over 'stock' an empty list. */
    connections(): Load[];
    /**
     * In the primary: sends a value to all workers, which get it as `message`, as from `worker.send`, at the price of one.
     * Anything structured clone takes. Throws DataCloneError, and ERR_BROADCAST_FULL when workers have not read what came
     * before. A worker that is only starting gets what comes once it has loaded.
     */
    broadcast(value: unknown): void;
    /**
     * Ends a worker in order (in the primary): at once it gets no new connection and what it has not taken goes to
     * others; its idle HTTP/1.1 connections are moved to others, busy ones when their answers have left; what cannot be
     * moved finishes, with `Connection: close` or GOAWAY. Then it disconnects. The promise resolves when it has, or has
     * ended, or after `timeout`; the worker is not killed.
     */
    drain(worker: Worker, options?: DrainOptions): Promise<Drained>;
    /**
     * Evens out connections (in the primary): workers with more than their share pass some on. Resolves once they are
     * even, or cannot be made so within a few seconds.
     */
    rebalance(): Promise<{ moved: number }>;
  }

  interface DrainOptions {
    /** Milliseconds after which the promise resolves all the same; default none. */
    timeout?: number | undefined;
    /**
     * Idle connections that cannot be moved stay open until their keepAliveTimeout (`linger`, the default: a client may
     * be sending on them this moment), or all idle ones are closed at once and none is moved (`close`: everything stops).
     */
    idle?: 'linger' | 'close' | undefined;
    /** False leaves connections where they are: they finish like those that cannot be moved. Default true. */
    move?: boolean | undefined;
  }

  /** What became of a worker's connections. */
  interface Drained {
    /** Connections it has passed on, in all its life. */
    moved: number;
    /** The first sweep: connections it has looked at, found idle, and moved; undefined where there was none. */
    swept: { seen: number; idle: number; moved: number } | undefined;
    /** Milliseconds. */
    duration: number;
    /** Whether `timeout` had passed before the worker was done. */
    timedOut: boolean;
  }

  /** A worker, as node:cluster has it. */
  type Worker = NodeWorker;
}

declare const rustcluster: Cluster & rustcluster.Additions;
export = rustcluster;
