import type { EventEmitter } from 'node:events';
import type rustcluster from '../cluster.js';

/** What `supervise()` takes. Times are whole milliseconds. */
export interface SupervisorOptions {
  /** The app's main file, absolute or relative to the working directory. A symbolic link is followed anew at each start. */
  exec: string | URL;
  /** What the command line calls it: letters, digits, `_`, `-`, `.`, 41 at most. Default: the file's name. */
  name?: string;
  /** Arguments for the app, or a function that gives those of each worker. Default: none. */
  args?: readonly string[] | ((slot: number) => readonly string[]);
  /** Node's own flags for the workers. Default: those of this process. */
  execArgv?: readonly string[];
  /**
   * Added to this process's environment for the workers, or a function that gives it for each; each also has
   * RUSTCLUSTER_SLOT, its place from 0.
   */
  env?: Environment | ((slot: number) => Environment);
  /** How many workers, 1 to 1024. Default 'auto': `availableParallelism()`. */
  workers?: number | 'auto';
  /**
   * Workers beside those that run and get no connections: one takes the place of a worker that dies at once. Default 0.
   * Under the policy `kernel`, and where dispatch has no transport, they get connections like the others.
   */
  spares?: number;
  /** How connections are spread over the workers. Default 'least-connections'. */
  policy?: rustcluster.Policy;
  /** Whether a worker that leaves passes its idle HTTP/1.1 connections on to others. Default true. */
  moveConnections?: boolean;
  /**
   * Even out kept connections when a worker is new among those that serve: those with more than their share pass idle
   * ones on. Default false.
   */
  rebalance?: boolean;
  /** A worker is ready when it calls `process.send('ready')`, not when it first listens. Default false. */
  waitReady?: boolean;
  /** How long a worker may take until it is ready. Default 30,000. */
  readyTimeout?: number;
  /** How long a worker may finish its requests before SIGTERM. Default 30,000. */
  drainTimeout?: number;
  /** From SIGTERM to SIGKILL. Default 5,000. */
  killTimeout?: number;
  /** After how long a ready worker counts as sound. Default 1,000. */
  minUptime?: number;
  /** On a reload: how many new workers start at a time. Default 1. */
  concurrency?: number;
  /**
   * On a reload: how long each new worker must live without connections before it takes its place, and then how long
   * all must live with connections before the old ones go. Default 1,500.
   */
  probation?: number;
  /**
   * After how long a ready worker whose event loop does not turn is replaced; 0: never. Default 30,000; 0 where
   * `execArgv` has an `--inspect` flag, since a worker that a debugger has stopped does not hang.
   */
  stallTimeout?: number;
  /** Bytes of resident memory beyond which a worker is renewed, the new one first. Default: no limit. */
  maxMemory?: number;
  /**
   * Milliseconds after which a ready worker is renewed, the new one first; each at an age of its own, from 80% of this
   * on, so that they do not all restart together. Default: no limit.
   */
  maxAge?: number;
  /**
   * The control socket: its path, false for none, or true (the default) for one in `$XDG_RUNTIME_DIR/rustcluster`, or
   * `rustcluster-<uid>` in the temporary folder, where the command line finds it.
   */
  control?: string | boolean;
  /** Crashes in a row of one worker, while no other is sound, after which to give up. Default 5. */
  maxCrashes?: number;
  /** The pause before a crashed worker is started again. */
  backoff?: BackoffOptions;
  /** Drop what workers write to stdout and stderr; reports quote their last lines all the same. Default false. */
  silent?: boolean;
  /**
   * Obey SIGTERM and SIGINT (stop in order; a second one at once), SIGUSR2 and SIGHUP (reload), SIGTTIN and SIGTTOU
   * (one worker more, one less). Default true.
   */
  signals?: boolean;
}

/** Environment variables; undefined leaves one out. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** `initial * factor ** (crashes - 1)`, at most `max`. */
export interface BackoffOptions {
  /** Default 100 ms. */
  initial?: number;
  /** 1 to 10. Default 1.5. */
  factor?: number;
  /** Default 15,000 ms. */
  max?: number;
}

/** The life of a worker. */
export type WorkerState = 'starting' | 'ready' | 'draining' | 'stopping' | 'dead';

/**
 * What a worker is to its place: `active` gets connections, a `spare` waits for one to die; during a reload a `trial` has
 * to prove itself and a `parked` one waits for that; a `leaving` one drains or has been told to stop.
 */
export type WorkerRole = 'active' | 'spare' | 'trial' | 'parked' | 'leaving';

/** The life of a supervisor. */
export type SupervisorState = 'starting' | 'running' | 'stopping' | 'stopped';

/** Where a worker listens, as node:cluster reports it. */
export interface WorkerAddress {
  /** null for all addresses; the path of a Unix socket. */
  address: string | null;
  /** Absent for a Unix socket. */
  port?: number;
  /** 4, 6, -1 for a Unix socket, 'udp4' or 'udp6'. */
  addressType: 4 | 6 | -1 | 'udp4' | 'udp6';
}

/** A snapshot of one worker process. */
export interface WorkerStatus {
  /** Its place, from 0; a new worker in the same place has the same. */
  slot: number;
  /** node:cluster's number of it; never used twice. */
  id: number | undefined;
  /** Undefined when no process could be spawned. */
  pid: number | undefined;
  state: WorkerState;
  role: WorkerRole;
  /** As of Date.now(). */
  startedAt: number;
  /** As of Date.now(); undefined before it is ready. */
  readyAt: number | undefined;
  /** How often a worker in this place has been started again. */
  restarts: number;
  addresses: WorkerAddress[];
}

/** A snapshot of the whole. */
export interface SupervisorStatus {
  /** Of this process, the primary. */
  pid: number;
  name: string;
  state: SupervisorState;
  /** The app's file. */
  exec: string;
  /** Milliseconds since `supervise()`. */
  uptime: number;
  /** How many workers there shall be. */
  workers: number;
  /** How many of them are ready. */
  ready: number;
  /** How many spares are ready. */
  spares: number;
  /** Starts after the first in each place. */
  restarts: number;
  crashes: number;
  reloads: number;
  /** Workers whose event loop hung for `stallTimeout`. */
  stalls: number;
  /** Every worker process, those that drain included. */
  list: WorkerStatus[];
}

/** How a worker ended. */
export interface WorkerExit {
  /** null when a signal ended it, or when it could not be spawned. */
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Its last lines on stderr, 20 at most. */
  stderr: string;
  /** Whether the supervisor had asked for it. */
  expected: boolean;
  /** Milliseconds until a new worker starts in its place; undefined when none will. */
  delay: number | undefined;
}

/** What `ERR_WORKER_START`, `ERR_RELOAD_REFUSED` and `ERR_CRASH_LOOP` tell beside their message. */
export interface WorkerError extends Error {
  code: 'ERR_WORKER_START' | 'ERR_RELOAD_REFUSED' | 'ERR_CRASH_LOOP';
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
  /** Not on ERR_RELOAD_REFUSED. */
  slot?: number;
  /** Not on ERR_RELOAD_REFUSED. */
  pid?: number;
  /** ERR_RELOAD_REFUSED: how many old workers had been replaced and were put back. */
  replaced?: number;
  /** ERR_RELOAD_REFUSED: of how many. */
  total?: number;
}

/** One step of a reload. */
export interface ReloadStep {
  /** Of the new worker: it is ready; it has taken its place; it stays, and the old one goes. */
  step: 'ready' | 'joined' | 'retired';
  slot: number;
  pid: number | undefined;
  /** How many new workers have taken their places. */
  joined: number;
  /** Of how many. */
  total: number;
}

/** Why a worker is renewed. */
export interface Renewal {
  reason: 'maxMemory' | 'maxAge';
  /** Bytes of resident memory; undefined without `maxMemory`. */
  memory: number | undefined;
  /** Milliseconds since it was ready. */
  age: number;
}

/** Every event and what its listeners are given. */
export interface SupervisorEvents {
  /** All workers are ready, for the first time. */
  ready: [status: SupervisorStatus];
  'worker:starting': [worker: WorkerStatus];
  'worker:listening': [worker: WorkerStatus, address: WorkerAddress];
  'worker:ready': [worker: WorkerStatus];
  'worker:draining': [worker: WorkerStatus];
  'worker:stopping': [worker: WorkerStatus];
  /** It has no connection left: they have ended, or have been moved to other workers. */
  'worker:drained': [worker: WorkerStatus, drained: rustcluster.Drained];
  'worker:exit': [worker: WorkerStatus, exit: WorkerExit];
  /** Its event loop has not turned for `stallTimeout`: it is killed and replaced. */
  'worker:stalled': [worker: WorkerStatus, detail: { stallTimeout: number }];
  /** It has passed a limit: a new one starts, then it drains. */
  'worker:renew': [worker: WorkerStatus, renewal: Renewal];
  scale: [change: { from: number; to: number }];
  'reload:start': [plan: { workers: number }];
  'reload:step': [step: ReloadStep];
  'reload:end': [done: { workers: number }];
  'reload:refused': [error: WorkerError];
  'shutdown:start': [];
  /** No worker is left. */
  'shutdown:end': [];
  /** A crash loop; comes before 'shutdown:end'. Not emitted unheard where `ready()` has rejected with it. */
  error: [error: WorkerError];
}

/** Keeps the workers of one app running. Made by `supervise()`. */
export interface Supervisor extends EventEmitter {
  /** Resolves once every worker is ready. Rejects with ERR_CRASH_LOOP, or ERR_SUPERVISOR_STATE when shut down before. */
  ready(): Promise<this>;
  /**
   * Replaces every worker, one after the other; each new one is ready before the old one drains. Rejects with
   * ERR_RELOAD_REFUSED when a new one does not become ready: that place and all after it keep their old workers.
   */
  reload(): Promise<void>;
  /** Changes how many workers there are, 1 to 1024. Resolves once new ones are ready, or those too many are gone. */
  scale(workers: number): Promise<void>;
  status(): SupervisorStatus;
  /** Stops in order; `force`: at once. Resolves once no worker is left. */
  shutdown(options?: { force?: boolean }): Promise<void>;

  on<E extends keyof SupervisorEvents>(event: E, listener: (...args: SupervisorEvents[E]) => void): this;
  once<E extends keyof SupervisorEvents>(event: E, listener: (...args: SupervisorEvents[E]) => void): this;
  off<E extends keyof SupervisorEvents>(event: E, listener: (...args: SupervisorEvents[E]) => void): this;
  addListener<E extends keyof SupervisorEvents>(event: E, listener: (...args: SupervisorEvents[E]) => void): this;
  removeListener<E extends keyof SupervisorEvents>(event: E, listener: (...args: SupervisorEvents[E]) => void): this;
  prependListener<E extends keyof SupervisorEvents>(event: E, listener: (...args: SupervisorEvents[E]) => void): this;
  emit<E extends keyof SupervisorEvents>(event: E, ...args: SupervisorEvents[E]): boolean;
}

/**
 * Runs an app in several worker processes and keeps them running. One supervisor at a time in a process.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE
 * @throws ERR_SUPERVISOR_STATE in a worker, in a worker thread, and where a supervisor runs already
 */
export function supervise(options: SupervisorOptions): Supervisor;

/**
 * How many processors this process may really use: affinity and the CPU quotas of its cgroups, a fraction rounded up;
 * at least 1.
 */
export function availableParallelism(): number;
