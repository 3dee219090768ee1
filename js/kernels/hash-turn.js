'use strict';
/** Small `hash` calls made in one turn of the event loop, as one batch. */
const { setImmediate } = require('node:timers');
const { abortError } = require('../errors.js');
const { onAbort } = require('./abort.js');
const { giveBack, takeBatch } = require('./hash-batch.js');

/** algorithm -> the calls of this turn of the event loop. */
const turn = new Map();

/**
 * Hashes one small message, together with all others of this turn of the event loop.
 * @param {string} algorithm a name `hashAlgorithm` gives
 * @param {string | Uint8Array} data copied now
 * @param {string} encoding
 * @param {AbortSignal} [signal]
 * @returns {Promise<string | Buffer>}
 */
function hashSmall(algorithm, data, encoding, signal) {
  if (signal?.aborted) return Promise.reject(abortError(signal));
  let calls = turn.get(algorithm);
  if (calls === undefined) {
    calls = openTurn(algorithm);
    turn.set(algorithm, calls);
  }
  const index = calls.batch.add(data);
  calls.encodings.push(encoding);
  calls.asHex &&= encoding === 'hex';
  // One reaction a call on a promise they share: half the objects of a promise of its own with its two functions.
  const digest = calls.digests.then((digests) => digests[index]);
  return signal === undefined ? digest : abortable(digest, signal);
}

/** A batch that is sent in the next turn of the event loop. */
function openTurn(algorithm) {
  const calls = { batch: takeBatch(), encodings: [], asHex: true, digests: undefined };
  const sent = new Promise((resolve) => setImmediate(resolve));
  calls.digests = sent.then(async () => {
    turn.delete(algorithm);
    try {
      return await calls.batch.hash(algorithm, calls.asHex ? 'hex' : calls.encodings);
    } finally {
      giveBack(calls.batch);
    }
  });
  return calls;
}

/** Lets go of one call of a batch; the batch belongs to others too, so it goes on. */
function abortable(promise, signal) {
  return new Promise((resolve, reject) => {
    const unlisten = onAbort(signal, () => reject(abortError(signal)));
    const finish = (settle) => (value) => {
      unlisten();
      settle(value);
    };
    promise.then(finish(resolve), finish(reject));
  });
}

module.exports = { hashSmall };
