'use strict';
/** Messages on a stream: JSON, one a line. */
const { createError } = require('../errors.js');

/** Bytes of one line; a status of 1,024 workers takes a quarter of it. */
const MAX_LINE = 4 * 1024 * 1024;

/**
 * @param {import('node:net').Socket} socket
 * @param {(message: unknown) => void} onMessage called for each line, in order
 * @param {(error: Error) => void} onError called once, for what is no JSON or too long; nothing is read after it
 */
function jsonLines(socket, onMessage, onError) {
  let rest = '';
  const onData = (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (line.trim() === '') continue;
      let message;
      try {
        message = JSON.parse(line);
      } catch {
        return fail('A line is not JSON');
      }
      onMessage(message);
    }
    if (rest.length > MAX_LINE) fail('A line is too long');
  };
  const fail = (reason) => {
    socket.off('data', onData);
    socket.resume();
    onError(createError('ERR_INVALID_ARG_VALUE', reason));
  };
  socket.setEncoding('utf8').on('data', onData);
}

module.exports = { jsonLines };
