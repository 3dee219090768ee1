/// <reference types="node" />
import type { Transform, TransformOptions } from 'node:stream';
import type { FileProgress } from './gzip.js';

/** Bytes a kernel reads. Inputs of more than 512 bytes may be read later: leave them alone until the promise settles. */
export type Bytes = NodeJS.ArrayBufferView | ArrayBufferLike;

export interface FlipOptions {
  /** vertical (the default): top and bottom change places. As people see the picture, whatever its EXIF says. */
  direction?: 'vertical' | 'horizontal' | 'both';
  /**
   * auto (the default): without loss where the file allows it, a JPEG's luma alone where only that does. require: reject
   * with ERR_NOT_LOSSLESS where anything is lost. never: a JPEG always goes through pixels.
   */
  lossless?: 'auto' | 'require' | 'never';
  /** 1 to 100, of a JPEG that goes through pixels. Default: the source's own quantisation tables. */
  quality?: number;
  /** Refuse larger pictures, judged by the header. Default: 268,402,689 (16,383 x 16,383). */
  maxPixels?: number;
  signal?: AbortSignal;
}

/** What `flipFile` tells about the file it wrote. */
export interface FlipInfo {
  format: 'jpeg' | 'png' | 'webp' | 'gif' | 'bmp' | 'tiff';
  /** Stored pixels. */
  width: number;
  /** Stored pixels. */
  height: number;
  /** No sample value was lost. */
  lossless: boolean;
  /**
   * What came through exactly. all: every sample, `lossless` is true. part: of a JPEG whose size is whole blocks but not
   * whole MCUs, luma; chroma was coded anew. none: the picture was decoded and encoded again.
   */
  exact: 'all' | 'part' | 'none';
  bytesIn: number;
  bytesOut: number;
}

/** Mirrors an encoded image and returns it in the same format, with its metadata. */
export function flip(input: Bytes, options?: FlipOptions): Promise<Buffer>;

/** Flips a file into another, or itself; the destination is replaced as a whole. */
export function flipFile(source: string | URL, destination: string | URL, options?: FlipOptions): Promise<FlipInfo>;

/** SHA-2, FIPS 180-4. Case and hyphens are as free as in node:crypto. */
export type HashAlgorithm = 'sha224' | 'sha256' | 'sha384' | 'sha512' | (string & {});

export interface HashOptions {
  /** Default: 'hex'. */
  encoding?: 'hex' | 'base64' | 'base64url' | 'buffer';
  signal?: AbortSignal;
}

/** `crypto.hash` that does not hold the event loop. */
export function hash(
  algorithm: HashAlgorithm,
  data: string | Bytes,
  options: HashOptions & { encoding: 'buffer' },
): Promise<Buffer>;
export function hash(
  algorithm: HashAlgorithm,
  data: string | Bytes,
  options?: HashOptions & { encoding?: 'hex' | 'base64' | 'base64url' },
): Promise<string>;

/** The digest of a file, read and hashed on Rust threads at constant memory. */
export function hashFile(
  algorithm: HashAlgorithm,
  file: string | URL,
  options: HashOptions & FileProgress & { encoding: 'buffer' },
): Promise<Buffer>;
export function hashFile(
  algorithm: HashAlgorithm,
  file: string | URL,
  options?: HashOptions & FileProgress & { encoding?: 'hex' | 'base64' | 'base64url' },
): Promise<string>;

/** The digests of many messages at once, in SIMD lanes and over all threads, in the order of `list`. */
export function hashMany(
  algorithm: HashAlgorithm,
  list: readonly (string | Bytes)[],
  options: HashOptions & { encoding: 'buffer' },
): Promise<Buffer[]>;
export function hashMany(
  algorithm: HashAlgorithm,
  list: readonly (string | Bytes)[],
  options?: HashOptions & { encoding?: 'hex' | 'base64' | 'base64url' },
): Promise<string[]>;

/** The digests of many files, read and hashed side by side, in the order of `files`. */
export function hashFiles(
  algorithm: HashAlgorithm,
  files: readonly (string | URL)[],
  options: HashOptions & FileProgress & { encoding: 'buffer' },
): Promise<Buffer[]>;
export function hashFiles(
  algorithm: HashAlgorithm,
  files: readonly (string | URL)[],
  options?: HashOptions & FileProgress & { encoding?: 'hex' | 'base64' | 'base64url' },
): Promise<string[]>;

/** A digest as a stream: `crypto.createHash` where it is piped into, with the work on Rust threads. */
export function createHash(algorithm: HashAlgorithm, options?: TransformOptions): Transform;

export interface KernelStats {
  /** Jobs that may run at once. */
  threads: number;
  /** Jobs that may wait before ERR_QUEUE_FULL. */
  maxQueue: number;
  queued: number;
  running: number;
  /** Counted since the process started, as the two below. */
  completed: number;
  failed: number;
  aborted: number;
}

/** The pool of Rust threads that all kernels of this process share. */
export const kernels: {
  stats(): KernelStats;
  configure(options: {
    /** 1 to 1024. Default: `availableParallelism()`. */
    threads?: number;
    /** Default: 1000. */
    maxQueue?: number;
  }): void;
};
