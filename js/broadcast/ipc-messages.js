'use strict';
/** What a worker without shared memory and its primary say to each other. */

/** Node hands over as 'internalMessage', unseen by the app, what begins with NODE_. */
const CMD = 'NODE_RUSTCLUSTER_BROADCAST';

/** Names the way between a thread and its main thread. */
const TOPIC = 'broadcast';

/** @returns {object} a message that {@link handle} knows */
const envelope = (act, body) => ({ ...body, cmd: CMD, act });

/** Hands a message to the handler its `act` names; anything that is not ours is left alone. */
function handle(handlers) {
  return (message) => {
    if (message?.cmd === CMD && Object.hasOwn(handlers, message.act)) handlers[message.act](message);
  };
}

module.exports = { envelope, handle, TOPIC };
