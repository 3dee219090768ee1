/// <reference types="node" />
import type { Transform, TransformOptions } from 'node:stream';

/** Told while a file job runs, at most 20 times a second, and once at its end. */
export interface Progress {
  /** Bytes of the source that have been dealt with. */
  bytesDone: number;
  /** The source's size; missing where nobody knows it, of a pipe for one. */
  total: number | undefined;
}

export interface GzipOptions {
  /**
   * 0 stores, 1 is the fastest, 6 the default, 9 the smallest zlib has, 10 to 12 smaller and far slower; -1 is the
   * default too, as in zlib.
   */
  level?: number;
  signal?: AbortSignal;
}

export interface GunzipOptions {
  /** Reject with ERR_BUFFER_TOO_LARGE beyond so many bytes. Default: 1 GiB for `gunzip`, no limit for files. */
  maxOutputLength?: number;
  signal?: AbortSignal;
}

export interface FileProgress {
  /** If it throws, the job is aborted and rejects with what was thrown. */
  onProgress?: (progress: Progress) => void;
}

/** What `gzipFile` and `gunzipFile` tell: the sizes of both files. */
export interface GzipInfo {
  bytesIn: number;
  bytesOut: number;
}

/** Compresses into one gzip member (RFC 1952), large inputs on several threads; the same input gives the same bytes. */
export function gzip(data: string | NodeJS.ArrayBufferView | ArrayBufferLike, options?: GzipOptions): Promise<Buffer>;

/** Decompresses every gzip member. */
export function gunzip(data: NodeJS.ArrayBufferView | ArrayBufferLike, options?: GunzipOptions): Promise<Buffer>;

/** Compresses a file into another, or itself, at constant memory; the destination is replaced as a whole. */
export function gzipFile(
  source: string | URL,
  destination: string | URL,
  options?: GzipOptions & FileProgress,
): Promise<GzipInfo>;

/** Decompresses a file into another, or itself, at constant memory; the destination is replaced as a whole. */
export function gunzipFile(
  source: string | URL,
  destination: string | URL,
  options?: GunzipOptions & FileProgress,
): Promise<GzipInfo>;

/** A stream of `createGzip` or `createGunzip`, with what zlib's streams have beyond a Transform. */
export interface GzipStream extends Transform {
  /** Bytes the engine has taken. */
  readonly bytesWritten: number;
  /** Makes what was written readable at the other end. `kind`: a constant of zlib, Z_FULL_FLUSH by default. */
  flush(kind?: number, callback?: () => void): void;
  flush(callback?: () => void): void;
  /** Destroys the stream. */
  close(callback?: () => void): void;
}

export interface GzipStreamOptions extends Omit<TransformOptions, 'flush' | 'transform' | 'final'> {
  /** 64 and more: the most bytes of one chunk of output. Default: 65,536. */
  chunkSize?: number;
  /** A constant of zlib: the flush after every write. Default: Z_NO_FLUSH. */
  flush?: number;
  /** A constant of zlib: the flush at the end. Default: Z_FINISH. */
  finishFlush?: number;
  /** Destroys the stream. */
  signal?: AbortSignal;
}

export interface CreateGzipOptions extends GzipStreamOptions {
  /** 0 stores, 1 is the fastest, 6 the default, 9 the smallest; -1 is the default too. */
  level?: number;
  /** 8 to 15: log2 of the history searched for repeats. Default: 15. */
  windowBits?: number;
  /** 1 to 9. Default: 8. */
  memLevel?: number;
  /** A constant of zlib, Z_DEFAULT_STRATEGY (0) to Z_FIXED (4). */
  strategy?: number;
}

export interface CreateGunzipOptions extends GzipStreamOptions {
  /** Fail with ERR_BUFFER_TOO_LARGE beyond so many bytes in all. Default: no limit. */
  maxOutputLength?: number;
}

/** `zlib.createGzip` with the work on Rust threads. */
export function createGzip(options?: CreateGzipOptions): GzipStream;

/** `zlib.createGunzip` with the work on Rust threads. */
export function createGunzip(options?: CreateGunzipOptions): GzipStream;
