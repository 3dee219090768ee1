'use strict';
/**
 * The store where processes cannot share memory: the primary holds the entries (memory.js), its workers ask it over the
 * channel node:cluster gave them. The `cmd` begins with NODE_, so that an app's own listeners never see these messages.
 */
const cluster = require('node:cluster');
const { isMainThread } = require('node:worker_threads');
const { codes, createError } = require('../errors.js');
const { EncodedBackend } = require('./encoded.js');
const { Memory } = require('./memory.js');
const { hasPrimary } = require('./place.js');
const { answerThreads, askMain, ownerPrefix } = require('./threads.js');

const CMD = 'NODE_RUSTCLUSTER_STORE';
/** A primary that has not loaded this package does not answer; one that has does so at once. In milliseconds. */
const PATIENCE = 5_000;
const METHODS = new Set(
  'raw rawMany has ttl size scan set setMany delete incr cas touch clear claim settle wait'.split(' '),
);

/** On the process, not in this module: jest loads a module many times in one process. */
const STORES = Symbol.for('rustcluster.store.memories');

/** name -> { memory, settings }, of the primary or of a lone process. */
function memories() {
  if (!process[STORES]) Object.defineProperty(process, STORES, { value: new Map() });
  return process[STORES];
}

function memoryOf(name, settings) {
  const stores = memories();
  const want = JSON.stringify(settings);
  if (!stores.has(name)) stores.set(name, { memory: new Memory(settings), settings: want });
  const { memory, settings: found } = stores.get(name);
  if (found !== want) {
    throw createError('ERR_INVALID_ARG_VALUE', `the store is open with other settings: ${found}, not ${want}`);
  }
  return memory;
}

let instances = 0;
const owner = () => `${ownerPrefix()}${++instances}.`;

/** @returns {EncodedBackend} of the primary's own, or of a process that has none */
function localBackend(name, settings) {
  serve();
  const memory = memoryOf(name, settings);
  return new EncodedBackend((method, ...args) => run(memory, method, args), { transport: 'shared', owner: owner() });
}

function run(memory, method, args) {
  if (method === 'leave') return memory.leave((owner) => owner.startsWith(args[0]));
  if (!METHODS.has(method)) throw createError('ERR_INTERNAL', `no such method: ${method}`);
  return memory[method](...args);
}

/** @returns {EncodedBackend} of a worker thread */
function threadBackend(name, settings) {
  return new EncodedBackend((method, ...args) => askMain({ name, settings, method, args }, toError), {
    transport: 'ipc',
    owner: owner(),
  });
}

/** @returns {EncodedBackend} of a worker */
function remoteBackend(name, settings) {
  return new EncodedBackend((method, ...args) => ask({ name, settings, method, args }), {
    transport: 'ipc',
    owner: owner(),
  });
}

/** id -> how to settle the promise of a question. */
const asked = new Map();
let lastId = 0;
let listening = false;

function ask(question) {
  if (!process.connected) return Promise.reject(unavailable('the primary is gone'));
  if (!listening) listen();
  return new Promise((resolve, reject) => {
    const id = ++lastId;
    const timer = setTimeout(() => {
      asked.delete(id);
      reject(unavailable("the primary does not answer: it must load this package, by require('rustcluster')"));
    }, PATIENCE);
    asked.set(id, { resolve, reject, timer });
    process.send({ cmd: CMD, id, pid: process.pid, question: pack(question) });
  });
}

function listen() {
  listening = true;
  process.on('internalMessage', (message) => {
    if (message?.cmd !== CMD || !asked.has(message.id)) return;
    const { resolve, reject, timer } = asked.get(message.id);
    asked.delete(message.id);
    clearTimeout(timer);
    if (message.failure) reject(toError(message.failure));
    else resolve(unpack(message.answer));
  });
  process.on('disconnect', () => {
    for (const { reject, timer } of asked.values()) {
      clearTimeout(timer);
      reject(unavailable('the primary is gone'));
    }
    asked.clear();
  });
}

const unavailable = (why) => createError('ERR_STORE_UNAVAILABLE', `The store cannot be reached: ${why}`);
const toError = ({ code, message }) => createError(codes.includes(code) ? code : 'ERR_INTERNAL', message);

const SERVING = Symbol.for('rustcluster.store.serving');

/** In a primary: answers its workers, those that run already too. */
function serve() {
  if (!isMainThread || !cluster.isPrimary || process[SERVING]) return;
  Object.defineProperty(process, SERVING, { value: true });
  const attend = (worker) => {
    worker.process.on('internalMessage', (message) => {
      if (message?.cmd === CMD) worker.process.send(answer(message), () => {});
    });
    worker.once('exit', () => {
      const prefix = `${worker.process.pid}.`;
      for (const { memory } of memories().values()) memory.leave((owner) => owner.startsWith(prefix));
    });
  };
  for (const worker of Object.values(cluster.workers ?? {})) attend(worker);
  cluster.on('fork', attend);
}

function answer({ id, question }) {
  try {
    const { name, settings, method, args } = unpack(question);
    return { cmd: CMD, id, answer: pack(run(memoryOf(name, settings), method, args)) };
  } catch ({ code, message }) {
    return { cmd: CMD, id, failure: { code, message } };
  }
}

/** The channel carries JSON: bytes go as base64, undefined and the numbers that JSON has not by name. */
function pack(value) {
  return JSON.stringify(value, (_key, one) => {
    if (one?.type === 'Buffer') return { $bytes: Buffer.from(one.data).toString('base64') };
    if (one instanceof Uint8Array) return { $bytes: Buffer.from(one).toString('base64') };
    if (one === undefined) return { $undefined: true };
    if (typeof one === 'number' && !Number.isFinite(one)) return { $number: String(one) };
    return one;
  });
}

function unpack(text) {
  const revive = (one) => {
    if (one === null || typeof one !== 'object') return one;
    if (one.$bytes !== undefined) return Buffer.from(one.$bytes, 'base64');
    if (one.$undefined) return undefined;
    if (one.$number) return Number(one.$number);
    for (const key of Object.keys(one)) one[key] = revive(one[key]);
    return one;
  };
  return revive(JSON.parse(text));
}

// Also in a primary whose workers alone open stores, and in a main thread whose threads alone do.
serve();
answerThreads((question) =>
  hasPrimary ? ask(question) : run(memoryOf(question.name, question.settings), question.method, question.args),
);

module.exports = { localBackend, remoteBackend, threadBackend };
