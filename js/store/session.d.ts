import { EventEmitter } from 'node:events';
import type { Store, StoreOptions } from './types.js';

/** Options of `openStore`, and how sessions lie in the store. */
export interface SessionStoreOptions extends StoreOptions {
  /** One that is open already. */
  store?: Store;
  /** The name of the store to open; default 'sessions'. */
  name?: string;
  /** What its keys begin with; default 'sess:'. */
  prefix?: string;
  /** Milliseconds a session lives whose cookie has no end; default 86,400,000. */
  ttl?: number;
}

type Callback<T> = (error: unknown, value?: T) => void;

/** A session as express-session hands it over. */
export interface SessionData {
  cookie: { expires?: Date | string | null; originalMaxAge?: number | null };
  [property: string]: unknown;
}

/** A store for express-session, with all of its optional methods. */
export class ExpressStore extends EventEmitter {
  constructor(options?: SessionStoreOptions);
  get(id: string, callback: Callback<SessionData | undefined>): void;
  set(id: string, session: SessionData, callback?: Callback<void>): void;
  touch(id: string, session: SessionData, callback?: Callback<void>): void;
  destroy(id: string, callback?: Callback<void>): void;
  all(callback: Callback<Record<string, SessionData>>): void;
  length(callback: Callback<number>): void;
  clear(callback?: Callback<void>): void;
  createSession(request: object, session: SessionData): object;
  load(id: string, callback: Callback<object>): void;
  regenerate(request: object, callback: Callback<void>): void;
}

/** An external store for koa-session. */
export class KoaStore {
  constructor(options?: SessionStoreOptions);
  get(id: string): Promise<Record<string, unknown> | undefined>;
  set(id: string, session: object, maxAge?: number | 'session'): Promise<void>;
  destroy(id: string): Promise<void>;
}
