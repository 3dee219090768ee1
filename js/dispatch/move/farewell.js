'use strict';
/** What becomes of connections that cannot be moved, in a worker that drains: they are told to go, and may finish. */
const { socketsOf } = require('./idle.js');

/** GOAWAY that forbids nothing yet: RFC 9113, section 6.8, "graceful shutdown". */
const LAST_STREAM = 2 ** 31 - 1;
/** How long a client may take for the round trip between the two GOAWAYs, in milliseconds. */
const ROUND_TRIP = 1000;

/** Whether a response is the last its connection has been asked for: to close after an earlier one would lose others. */
function isLatest(response, { incoming }) {
  return incoming === null || incoming === response.req;
}

/** HTTP/1.1: the answers under way, whose heads have not left, shall be their connections' last. */
function closeAfterAnswers(server, staysOpen) {
  for (const socket of socketsOf(server)) {
    const { _httpMessage: response, parser } = socket;
    if (response && !response.headersSent && isLatest(response, parser) && !staysOpen(socket)) {
      response.shouldKeepAlive = false;
    }
  }
}

/** Closes connections of HTTP/1.1 servers on which no request ever began: Node takes those for active ones. */
function closeUnused(server) {
  for (const socket of socketsOf(server)) if (socket.bytesRead === 0 && !socket._httpMessage) socket.destroy();
}

/**
 * HTTP/2: announces the end, gives requests under way to us the time of a round trip to arrive, then refuses new ones.
 * The session ends with its last stream.
 */
function sayGoodbye(session) {
  if (session.closed || session.destroyed) return;
  const { close } = session;
  const end = () => {
    clearTimeout(timer);
    session.close = close;
    if (!session.destroyed) session.close();
  };
  const timer = setTimeout(end, ROUND_TRIP).unref();
  // Since Node 24 a server that closes has its sessions close at once, and they shall not yet.
  session.close = (callback) => {
    if (typeof callback === 'function') session.once('close', callback);
  };
  try {
    session.goaway(0, LAST_STREAM);
    session.ping(end);
  } catch {
    // Its socket has just gone.
    end();
  }
}

module.exports = { closeAfterAnswers, closeUnused, sayGoodbye };
