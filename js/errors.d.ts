/** Every code an error of this package can have, the operating system's (ENOENT, ...) aside. docs/errors.md explains. */
export type ErrorCode =
  | 'ERR_INVALID_ARG_TYPE'
  | 'ERR_INVALID_ARG_VALUE'
  | 'ERR_OUT_OF_RANGE'
  | 'ERR_IMAGE_CORRUPT'
  | 'ERR_IMAGE_UNSUPPORTED'
  | 'ERR_IMAGE_TOO_LARGE'
  | 'ERR_NOT_LOSSLESS'
  | 'ERR_QUEUE_FULL'
  | 'ABORT_ERR'
  | 'ERR_WORKER_START'
  | 'ERR_RELOAD_REFUSED'
  | 'ERR_CRASH_LOOP'
  | 'ERR_SUPERVISOR_STATE'
  | 'ERR_NATIVE_LOAD'
  | 'ERR_INTERNAL';
