/** `rustcluster/cluster`: node:cluster, with its way of passing connections replaced. docs/dispatch.md explains. */
import type { Cluster, Worker as NodeWorker } from 'node:cluster';

declare module 'cluster' {
  interface ClusterSettings {
    /** How the servers of this cluster spread connections that say nothing themselves; default 'least-connections'. */
    policy?: rustcluster.Policy | undefined;
  }
}

declare module 'net' {
  interface ListenOptions {
    /** In a worker: how this server's connections are spread. The first worker to listen on a port decides. */
    policy?: rustcluster.Policy | undefined;
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
    /** Whether its event loop hung when last looked at. */
    stalled: boolean;
  }

  /** What comes on top of node:cluster. */
  interface Additions {
    /** Which transport is in use. */
    readonly transport: Transport;
    /** In the primary: a line for each worker. In a worker: its own. Over 'stock' an empty list. */
    connections(): Load[];
  }

  /** A worker, as node:cluster has it. */
  type Worker = NodeWorker;
}

declare const rustcluster: Cluster & rustcluster.Additions;
export = rustcluster;
