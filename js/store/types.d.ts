/** What a store asks of a client of Redis: that of ioredis has it. */
export interface RedisClient {
  callBuffer(command: string, ...args: (string | Buffer | number)[]): Promise<unknown>;
}

/** What `openStore` takes. All who open a store must give the same. */
export interface StoreOptions {
  /** The entries lie in Redis, for all machines that open the same name there. Goes with no other option. */
  redis?: RedisClient;
  /** The folder in which the store's own folder is, on a local file system. Without it the entries die with the primary. */
  path?: string | URL;
  /** A write is acknowledged once it is on the disk; default true with `path`, and only there. */
  durable?: boolean;
  /** Bytes that the entries may take, 65,536 at least; default 268,435,456. */
  maxSize?: number;
  /** What a full store does: refuse with ERR_STORE_FULL (default), or evict what was not used lately. */
  eviction?: 'none' | 'lru';
}

/** For whatever writes an entry. */
export interface StoreWriteOptions {
  /** Milliseconds to live; without it, and with Infinity, the entry stays. */
  ttl?: number;
}

/** What an iteration goes over. */
export interface StoreRange {
  /** What the keys begin with; default: everything. */
  prefix?: string;
  /** Most entries to give; without it, and with Infinity, all. */
  limit?: number;
}

/**
 * A key-value store that all processes of a cluster share. Values are what structured clone takes, but undefined; bytes
 * come back as Buffers. Every call fails with ERR_STORE_CLOSED after `close()`.
 */
export interface Store {
  /** The name it was opened under. */
  readonly name: string;
  /** `'shared'` for memory that processes share, `'ipc'` where the primary holds the entries, `'redis'` where Redis does. */
  readonly transport: 'shared' | 'ipc' | 'redis';
  /** A copy of its own of an entry, undefined where there is none. */
  get<T = unknown>(key: string): Promise<T | undefined>;
  /** As `get`, without a promise. Throws ERR_STORE_UNAVAILABLE where `transport` is not `'shared'`. */
  getSync<T = unknown>(key: string): T | undefined;
  /** Several entries, as of one moment, in the order of `keys`. */
  getMany<T = unknown>(keys: string[]): Promise<(T | undefined)[]>;
  /** As `getMany`, without a promise. Throws ERR_STORE_UNAVAILABLE where `transport` is not `'shared'`. */
  getManySync<T = unknown>(keys: string[]): (T | undefined)[];
  has(key: string): Promise<boolean>;
  /** As `has`, without a promise. Throws ERR_STORE_UNAVAILABLE where `transport` is not `'shared'`. */
  hasSync(key: string): boolean;
  /** Milliseconds an entry has to live: Infinity without end, undefined where there is no entry. */
  ttl(key: string): Promise<number | undefined>;
  /** Entries that have not expired. */
  size(): Promise<number>;
  /** Resolves when every process sees the entry, and with `durable` when it is on the disk. */
  set(key: string, value: unknown, options?: StoreWriteOptions): Promise<void>;
  /** Writes several entries, all or none. */
  setMany(
    entries: Iterable<readonly [string, unknown]> | Readonly<Record<string, unknown>>,
    options?: StoreWriteOptions,
  ): Promise<void>;
  /** Whether there was an entry. */
  delete(key: string): Promise<boolean>;
  /** How many of the keys there were. */
  deleteMany(keys: string[]): Promise<number>;
  /**
   * Adds `by` (default 1) to a number that begins at 0, atomically over all processes, and gives the sum. `ttl` counts
   * from the increment that makes the entry. ERR_STORE_NOT_NUMBER where the entry holds something else.
   */
  incr(key: string, by?: number, options?: StoreWriteOptions): Promise<number>;
  /**
   * Writes `value` (undefined: deletes) if the entry holds `expected` (undefined: if there is none), atomically over all
   * processes. Objects are equal as `util.isDeepStrictEqual` says.
   */
  cas(key: string, expected: unknown, value: unknown, options?: StoreWriteOptions): Promise<boolean>;
  /** A new time to live in milliseconds, counted from now; undefined or Infinity for no end. Whether there is such an entry. */
  touch(key: string, ttl?: number): Promise<boolean>;
  /**
   * The entry, or what `fn` makes of it, which runs once for all who ask at the same time, in all processes. If it throws,
   * all of them are rejected and nothing is stored; if its process dies, one who waits runs its own.
   */
  getOrSet<T>(key: string, fn: () => T | Promise<T>): Promise<T>;
  getOrSet<T>(key: string, options: StoreWriteOptions | undefined, fn: () => T | Promise<T>): Promise<T>;
  /** Deletes all entries, or those whose key begins with `prefix`; gives their number. */
  clear(prefix?: string): Promise<number>;
  /** The keys in the order of their UTF-8 bytes. What is written or deleted meanwhile may be missing or there. */
  keys(range?: StoreRange): AsyncGenerator<string, void, undefined>;
  /** The entries, as `keys`. */
  entries<T = unknown>(range?: StoreRange): AsyncGenerator<[string, T], void, undefined>;
  [Symbol.asyncIterator](): AsyncGenerator<[string, unknown], void, undefined>;
  /** Waits for the writes under way and lets go of the store; the entries stay. */
  close(): Promise<void>;
  /** As `close`, for `await using`. `@types/node` declares the symbol where TypeScript's own library does not. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens a store that all processes of a cluster share: the primary, its workers and their threads.
 *
 * Throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE (also when it is open with other options), ERR_OUT_OF_RANGE;
 * ERR_STORE_CORRUPT, ERR_STORE_FOREIGN for a file that cannot be used, which stays as it is; ERR_STORE_FULL when there is
 * not even room to begin; ERR_STORE_UNAVAILABLE where there is no place for it.
 * @param name 1 to 100 letters, digits, `_`, `-`, `.`
 */
export function openStore(name: string, options?: StoreOptions): Store;
