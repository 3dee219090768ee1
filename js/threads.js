'use strict';
/**
 * Worker threads that reach others through the main thread of their process, where memory cannot be shared: over
 * worker_threads' own BroadcastChannel, which stays in the process and keeps the order of what one thread sends.
 */
const { BroadcastChannel, isMainThread, threadId } = require('node:worker_threads');

const nameOf = (topic) => `rustcluster.threads.${topic}`;

/**
 * In a main thread: hears the threads that are started from now on. Only the first call of a process for a topic counts,
 * since jest loads a module many times.
 * @param {string} topic
 * @param {{ message(thread: number, body: any, reply: (body: object) => void): void, gone(thread: number): void }} handlers
 *   `message`: `thread` has sent `body`, which is a copy; `gone`: a thread has ended
 */
function attendThreads(topic, { message, gone }) {
  const attended = Symbol.for(nameOf(topic));
  if (!isMainThread || process[attended]) return;
  Object.defineProperty(process, attended, { value: true });
  let isListening = false;
  process.on('worker', (worker) => {
    // Known only while it runs.
    const { threadId: thread } = worker;
    worker.once('exit', () => gone(thread));
    if (isListening) return;
    isListening = true;
    const channel = new BroadcastChannel(nameOf(topic));
    channel.unref();
    channel.onmessage = ({ data: { from, body } }) => {
      if (from !== undefined) message(from, body, (answer) => channel.postMessage({ to: from, body: answer }));
    };
  });
}

/**
 * In a thread: the way to the main thread. It does not keep the thread running unless `ref` says so.
 * @param {string} topic
 * @param {(body: any) => void} receive gets what the main thread sends to this thread
 * @returns {{ send(body: object): void, ref(): void, unref(): void }}
 */
function toMainThread(topic, receive) {
  const channel = new BroadcastChannel(nameOf(topic));
  channel.unref();
  channel.onmessage = ({ data: { to, body } }) => {
    if (to === threadId) receive(body);
  };
  return {
    send: (body) => channel.postMessage({ from: threadId, body }),
    ref: () => channel.ref(),
    unref: () => channel.unref(),
  };
}

module.exports = { attendThreads, toMainThread };
