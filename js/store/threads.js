'use strict';
/**
 * Worker threads where processes cannot share memory: a thread asks the main thread of its process, which holds the
 * entries or asks the primary. Both ends talk over worker_threads' own BroadcastChannel, which stays in the process.
 */
const { BroadcastChannel, isMainThread, threadId } = require('node:worker_threads');
const { createError } = require('../errors.js');

const NAME = 'rustcluster.store.threads';
/** On the process, not in this module: jest loads a module many times in one process. */
const ATTENDED = Symbol.for(NAME);
/** A main thread that does not listen does not answer; one that does, does when its loop turns. In milliseconds. */
const PATIENCE = 5_000;

/** @returns {string} begins the names of all that a thread's stores claim, and those of no other thread's */
const ownerPrefix = (thread = threadId) => `${process.pid}.${thread}.`;

/**
 * In a main thread: answers the threads that are started from now on.
 * @param {(question: { name: string, settings: object, method: string, args: unknown[] }) => unknown} answer may be async
 */
function attendThreads(answer) {
  if (!isMainThread || process[ATTENDED]) return;
  Object.defineProperty(process, ATTENDED, { value: true });
  /** Name -> settings of what threads have open. */
  const opened = new Map();
  let isListening = false;
  process.on('worker', (worker) => {
    if (!isListening) listen(answer, opened);
    isListening = true;
    const prefix = ownerPrefix(worker.threadId);
    worker.once('exit', async () => {
      for (const [name, settings] of opened) {
        // Nobody is left to be told: the primary may be gone, too.
        await Promise.resolve(answer({ name, settings, method: 'leave', args: [prefix] })).catch(() => {});
      }
    });
  });
}

function listen(answer, opened) {
  const channel = new BroadcastChannel(NAME);
  channel.unref();
  channel.onmessage = async ({ data: { thread, id, question } }) => {
    if (question === undefined) return; // another's reply
    let reply;
    try {
      opened.set(question.name, question.settings);
      reply = { to: thread, id, answer: await answer(question) };
    } catch ({ code, message }) {
      reply = { to: thread, id, failure: { code, message } };
    }
    channel.postMessage(reply);
  };
}

/** id -> how to settle the promise of a question. */
const asked = new Map();
let lastId = 0;
let channel;

/**
 * In a thread: asks the main thread.
 * @param {{ name: string, settings: object, method: string, args: unknown[] }} question
 * @returns {Promise<unknown>}
 * @throws ERR_STORE_UNAVAILABLE when it does not answer; what it fails with, made by `toError`
 */
function askMain(question, toError) {
  channel ??= open(toError);
  return new Promise((resolve, reject) => {
    const id = ++lastId;
    const timer = setTimeout(() => {
      settle(id);
      const why = "the main thread does not answer: it must have done require('rustcluster') before it starts threads";
      reject(createError('ERR_STORE_UNAVAILABLE', `The store cannot be reached: ${why}`));
    }, PATIENCE);
    asked.set(id, { resolve, reject, timer });
    channel.ref();
    channel.postMessage({ thread: threadId, id, question });
  });
}

function open(toError) {
  const opened = new BroadcastChannel(NAME);
  opened.onmessage = ({ data: { to, id, answer, failure } }) => {
    if (to !== threadId || !asked.has(id)) return;
    const { resolve, reject } = settle(id);
    if (failure) reject(toError(failure));
    else resolve(answer);
  };
  return opened;
}

/** Takes a question off the list; a thread that waits for no answer may end. */
function settle(id) {
  const one = asked.get(id);
  asked.delete(id);
  clearTimeout(one.timer);
  if (asked.size === 0) channel.unref();
  return one;
}

module.exports = { askMain, attendThreads, ownerPrefix };
