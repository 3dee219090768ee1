'use strict';
/** Errors a client is told about: a status, a code and a sentence. */
class HttpError extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** What the kernels report, as HTTP has it. Codes that are not here are our fault: 500. */
const statuses = {
  ERR_IMAGE_CORRUPT: 400,
  ERR_IMAGE_UNSUPPORTED: 415,
  ERR_IMAGE_TOO_LARGE: 413,
  ERR_INVALID_ARG_TYPE: 400,
  ERR_INVALID_ARG_VALUE: 400,
  ERR_OUT_OF_RANGE: 400,
  ERR_NOT_LOSSLESS: 422,
  ERR_QUEUE_FULL: 503,
  ABORT_ERR: 499,
};

/** @returns {number} the status for any error */
function statusOf(error) {
  return error instanceof HttpError ? error.status : (statuses[error.code] ?? 500);
}

module.exports = { HttpError, statusOf };
