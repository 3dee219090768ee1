/** What a BroadcastChannel can be told. */
export interface BroadcastChannelOptions {
  /**
   * For how many milliseconds a full ring waits for this process to read, before messages are overwritten and it is told
   * how many (`messageerror`). 0 to Infinity, default 1000.
   */
  maxLag?: number | undefined;
}

/** How `publish` waits. */
export interface PublishOptions {
  /** Milliseconds to wait for room, 0 to Infinity; default 30,000. */
  timeout?: number | undefined;
  /** Ends the waiting. */
  signal?: AbortSignal | undefined;
}

/** What `messageerror` brings as `data`. */
export interface BroadcastError extends Error {
  /** Messages were overwritten before this process read them, or one could not be deserialised. */
  code: 'ERR_BROADCAST_MISSED' | 'ERR_BROADCAST_CORRUPT';
  /** How many, exactly; only with ERR_BROADCAST_MISSED. */
  missed?: number;
}

/** The events of a BroadcastChannel. */
export interface BroadcastChannelEventMap {
  message: MessageEvent;
  messageerror: MessageEvent;
}

/** Those of EventTarget's listeners. Not the library's own type, which only that of browsers has. */
export interface ListenerOptions {
  once?: boolean;
  passive?: boolean;
  capture?: boolean;
  signal?: AbortSignal;
}

/**
 * The Web interface, across the primary, its workers and their threads: what one object posts, all others of its name get,
 * in one order for all. Sending costs the same for 2 workers and for 200.
 */
export class BroadcastChannel extends EventTarget {
  /** Throws ERR_INVALID_ARG_TYPE without a name, ERR_OUT_OF_RANGE. */
  constructor(name: string, options?: BroadcastChannelOptions);
  readonly name: string;
  /** For how many milliseconds a full ring waits for this process. */
  maxLag: number;
  onmessage: ((event: MessageEvent) => void) | null;
  /** `event.data` is a {@link BroadcastError}. */
  onmessageerror: ((event: MessageEvent) => void) | null;
  /**
   * Sends a value to all other objects with this name. Throws DataCloneError for what structured clone refuses,
   * InvalidStateError once closed, and ERR_BROADCAST_FULL when there is no room; nothing was sent then.
   */
  postMessage(message: unknown): void;
  /**
   * The same, waiting for room. Resolves once the message is where all who listen will find it. Also takes messages larger
   * than the ring, up to 1 GiB. Rejects as `postMessage` throws, with ERR_BROADCAST_FULL after `timeout`, with ABORT_ERR,
   * and with ERR_OUT_OF_RANGE above that.
   */
  publish(message: unknown, options?: PublishOptions): Promise<void>;
  /** Sends and gets nothing any more. */
  close(): void;
  /** The open channel keeps the process running, as it does from the start. */
  ref(): this;
  /** The process may end although the channel is open. */
  unref(): this;
  addEventListener<K extends keyof BroadcastChannelEventMap>(
    type: K,
    listener:
      | ((event: BroadcastChannelEventMap[K]) => void)
      | { handleEvent(event: BroadcastChannelEventMap[K]): void }
      | null,
    options?: ListenerOptions | boolean,
  ): void;
  removeEventListener<K extends keyof BroadcastChannelEventMap>(
    type: K,
    listener:
      | ((event: BroadcastChannelEventMap[K]) => void)
      | { handleEvent(event: BroadcastChannelEventMap[K]): void }
      | null,
    options?: Pick<ListenerOptions, 'capture'> | boolean,
  ): void;
}
