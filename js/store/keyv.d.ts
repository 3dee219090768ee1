import { EventEmitter } from 'node:events';
import type { Store, StoreOptions } from './types.js';

declare namespace KeyvStore {
  /** Options of `openStore`, and which store it is to be. */
  export interface Options extends StoreOptions {
    /** One that is open already; `disconnect()` then leaves it open. */
    store?: Store;
    /** The name of the store to open; default 'keyv'. */
    name?: string;
  }

  export { KeyvStore };
}

/** A storage adapter for Keyv, over a store that all workers share. */
declare class KeyvStore extends EventEmitter {
  constructor(options?: KeyvStore.Options);
  namespace?: string;
  opts: { dialect: string; url: string };
  get<Value>(key: string): Promise<Value | undefined>;
  getMany<Value>(keys: string[]): Promise<(Value | undefined)[]>;
  /** `ttl` in milliseconds. */
  set(key: string, value: unknown, ttl?: number): Promise<boolean>;
  setMany(entries: { key: string; value: unknown; ttl?: number }[]): Promise<boolean[]>;
  delete(key: string): Promise<boolean>;
  deleteMany(keys: string[]): Promise<boolean>;
  has(key: string): Promise<boolean>;
  hasMany(keys: string[]): Promise<boolean[]>;
  clear(): Promise<void>;
  iterator(namespace?: string): AsyncGenerator<[string, unknown], void, undefined>;
  disconnect(): Promise<void>;
}

export = KeyvStore;
