'use strict';
/**
 * Worker threads where processes cannot share memory: a thread asks the main thread of its process, which holds the
 * entries or asks the primary.
 */
const { threadId } = require('node:worker_threads');
const { createError } = require('../errors.js');
const { attendThreads, toMainThread } = require('../threads.js');

const TOPIC = 'store';
/** A main thread that does not listen does not answer; one that has its turn does. In milliseconds. */
const PATIENCE = 5_000;

/** @returns {string} begins the names of all that a thread's stores claim, and those of no other thread's */
const ownerPrefix = (thread = threadId) => `${process.pid}.${thread}.`;

/**
 * In a main thread: answers the threads that are started from now on.
 * @param {(question: { name: string, settings: object, method: string, args: unknown[] }) => unknown} answer may be async
 */
function answerThreads(answer) {
  /** Name -> settings of what threads have open. */
  const opened = new Map();
  attendThreads(TOPIC, {
    async message(_thread, { id, question }, reply) {
      try {
        opened.set(question.name, question.settings);
        reply({ id, answer: await answer(question) });
      } catch ({ code, message }) {
        reply({ id, failure: { code, message } });
      }
    },
    async gone(thread) {
      for (const [name, settings] of opened) {
        try {
          await answer({ name, settings, method: 'leave', args: [ownerPrefix(thread)] });
        } catch {
          // The primary may be gone, too.
        }
      }
    },
  });
}

/** id -> how to settle the promise of a question. */
const asked = new Map();
let lastId = 0;
let link;

/**
 * In a thread: asks the main thread.
 * @param {{ name: string, settings: object, method: string, args: unknown[] }} question
 * @param {(failure: { code: string, message: string }) => Error} toError
 * @returns {Promise<unknown>}
 * @throws ERR_STORE_UNAVAILABLE when it does not answer; what it fails with, made by `toError`
 */
function askMain(question, toError) {
  link ??= toMainThread(TOPIC, ({ id, answer, failure }) => {
    if (!asked.has(id)) return;
    const { resolve, reject } = settle(id);
    if (failure) reject(toError(failure));
    else resolve(answer);
  });
  return new Promise((resolve, reject) => {
    const id = ++lastId;
    const timer = setTimeout(() => {
      settle(id);
      const why = "the main thread does not answer: it must have done require('rustcluster') before it starts threads";
      reject(createError('ERR_STORE_UNAVAILABLE', `The store cannot be reached: ${why}`));
    }, PATIENCE);
    asked.set(id, { resolve, reject, timer });
    link.ref();
    link.send({ id, question });
  });
}

/** Takes a question off the list; a thread that waits for no answer may end. */
function settle(id) {
  const one = asked.get(id);
  asked.delete(id);
  clearTimeout(one.timer);
  if (asked.size === 0) link.unref();
  return one;
}

module.exports = { answerThreads, askMain, ownerPrefix };
