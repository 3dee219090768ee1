'use strict';
/**
 * What the primary and its workers say to each other.
 *
 * The `cmd` begins with NODE_, so that Node hands these over as 'internalMessage': an app that listens to
 * `process.on('message')` never sees them.
 */

const CMD = 'NODE_RUSTCLUSTER';

/** @returns {object} an envelope that {@link read} knows */
const envelope = (act, body) => ({ ...body, cmd: CMD, act });

/**
 * Hands a message to the handler its `act` names; anything that is not ours is left alone.
 * @param {Record<string, (message: object) => void>} handlers one per act
 */
function handle(handlers) {
  return (message) => {
    if (message?.cmd === CMD && Object.hasOwn(handlers, message.act)) handlers[message.act](message);
  };
}

module.exports = { envelope, handle };
