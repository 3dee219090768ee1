'use strict';
/**
 * What primary and workers say to each other about moving connections.
 *
 * The `cmd` begins with NODE_, so that Node hands these over as 'internalMessage', which no app listens to, and it is
 * none that node:cluster or the supervisor knows.
 */
const CMD = 'NODE_RUSTCLUSTER_MOVE';

/** Sends a message to the other side of `channel`, a process; one that is gone hears nothing. */
function tell(channel, act, body) {
  if (channel.connected) channel.send({ ...body, cmd: CMD, act }, () => {});
}

/** Has `handlers[act]` called for each message from the other side. */
function listen(channel, handlers) {
  channel.on('internalMessage', (message) => {
    if (message?.cmd === CMD && Object.hasOwn(handlers, message.act)) handlers[message.act](message);
  });
}

module.exports = { listen, tell };
