export * from './broadcast/types.js';
export type { ErrorCode } from './errors.js';
export * from './kernels/gzip.js';
export * from './kernels/types.js';
export * from './store/types.js';
export * from './supervise/types.js';
