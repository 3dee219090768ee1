'use strict';
/**
 * What v8's serializer takes and nobody could read: objects that structured clone hands over within a process alone, or
 * refuses by a mark the serializer does not see. They would arrive as an empty object, or not at all.
 */
const { types } = require('node:util');

const { getPrototypeOf } = Object;
/** An array above this is looked through by its keys: it may be one of few elements and many holes. */
const LONG_ARRAY = 1e6;

/** Under which Node's own classes (Blob, KeyObject, ...) say that they can be cloned, which they can only in-process. */
const CLONE = Object.getOwnPropertySymbols(Blob.prototype).find((symbol) => /clone/.test(symbol.description ?? ''));

/** Prototypes of which an instance has been cloned: what classes mark as not to be cloned, they mark on each instance. */
const cloned = new WeakSet();

const cloneError = (message) => new DOMException(message, 'DataCloneError');

/**
 * Looks through a value for what cannot leave its process.
 * @param {unknown} value
 * @param {(buffer: ArrayBuffer | SharedArrayBuffer) => void} [checkBuffer] is called for each that is met
 * @throws DataCloneError; what a getter of the value's own throws
 */
function refuseUnclonable(value, checkBuffer) {
  if (isObject(value)) visit(value, new Set(), checkBuffer);
}

const isObject = (value) => typeof value === 'object' && value !== null;

/** Objects of which all is primitive are most of what there is, and need not be remembered: they lead into no circle. */
function visit(value, seen, checkBuffer) {
  const prototype = prototypeOf(value);
  if (prototype === Object.prototype || prototype === null) visitObject(value, seen, checkBuffer);
  else if (prototype === Array.prototype && value.length < LONG_ARRAY) visitArray(value, seen, checkBuffer);
  else if (enters(value, seen)) visitOther(value, prototype, seen, checkBuffer);
}

function visitObject(value, seen, checkBuffer) {
  let isInside = false;
  for (const key in value) {
    const part = value[key];
    if (!isObject(part)) continue;
    if (!isInside && !enters(value, seen)) return;
    isInside = true;
    visit(part, seen, checkBuffer);
  }
}

function visitArray(value, seen, checkBuffer) {
  let isInside = false;
  for (let i = 0; i < value.length; i++) {
    const part = value[i];
    if (!isObject(part)) continue;
    if (!isInside && !enters(value, seen)) return;
    isInside = true;
    visit(part, seen, checkBuffer);
  }
}

function visitOther(value, prototype, seen, checkBuffer) {
  const look = (part) => {
    if (isObject(part)) visit(part, seen, checkBuffer);
  };
  if (ArrayBuffer.isView(value)) checkBuffer?.(value.buffer);
  else if (types.isAnyArrayBuffer(value)) checkBuffer?.(value);
  else if (types.isMap(value)) {
    for (const [key, part] of Map.prototype.entries.call(value)) {
      look(key);
      look(part);
    }
  } else if (types.isSet(value)) Set.prototype.forEach.call(value, look);
  else if (types.isNativeError(value)) look(value.cause);
  else if (!types.isDate(value) && !types.isRegExp(value)) {
    if (!Array.isArray(value)) refuseInstance(value, prototype);
    for (const key of Object.keys(value)) look(value[key]);
  }
}

/** @returns {boolean} false for what has been looked through, and for a proxy, which is the serializer's to refuse */
function enters(value, seen) {
  if (seen.has(value) || types.isProxy(value)) return false;
  seen.add(value);
  return true;
}

/** Of a proxy that has been revoked there is none to be had. */
function prototypeOf(value) {
  try {
    return getPrototypeOf(value);
  } catch {
    return undefined;
  }
}

function refuseInstance(value, prototype) {
  if (cloned.has(prototype)) return;
  if ((CLONE !== undefined && CLONE in value) || value instanceof WebAssembly.Module) {
    throw cloneError(`${value.constructor?.name ?? 'Object'} could not be cloned: it cannot leave its process`);
  }
  try {
    structuredClone(value);
  } catch (error) {
    // That it is to be moved and not cloned is an error of another class.
    throw error?.code === 'ERR_MISSING_TRANSFERABLE_IN_TRANSFER_LIST' ? cloneError(error.message) : error;
  }
  cloned.add(prototype);
}

module.exports = { cloneError, refuseUnclonable };
