'use strict';
/** Which values JSON keeps exactly: what JSON.parse makes of them is what structured clone would. */
const { isProxy } = require('node:util').types;

/** Deeper or wider values go another way: looking at them would cost more than it saves. */
const DEEPEST = 16;
const LONGEST_ARRAY = 64;
const MOST_OBJECTS = 24;

const { getPrototypeOf, keys } = Object;

/** Characters of strings met so far. */
let text = 0;
/** Objects met so far: one met twice is one object to structured clone, and two to JSON. */
const met = [];

/** @param {unknown} value @returns {number} how many characters its strings have; -1 when JSON does not keep it */
function exactText(value) {
  if (Object.prototype.toJSON !== undefined || Array.prototype.toJSON !== undefined) return -1;
  text = 0;
  const exact = looksExact(value, 0);
  met.length = 0;
  return exact ? text : -1;
}

function looksExact(value, depth) {
  switch (typeof value) {
    case 'string':
      text += value.length;
      return true;
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value) && (value !== 0 || !Object.is(value, -0));
    case 'object':
      return value === null || looksExactObject(value, depth);
    default:
      return false;
  }
}

function looksExactObject(value, depth) {
  if (depth === DEEPEST || met.length === MOST_OBJECTS || met.includes(value) || isProxy(value)) return false;
  met.push(value);
  const prototype = getPrototypeOf(value);
  if (Array.isArray(value)) {
    const { length } = value;
    // As many keys as elements: no holes, and nothing beside the elements.
    if (prototype !== Array.prototype || length > LONGEST_ARRAY || keys(value).length !== length) return false;
    for (let i = 0; i < length; i++) if (!looksExact(value[i], depth + 1)) return false;
    return true;
  }
  if (prototype !== Object.prototype && prototype !== null) return false;
  // Plain to look at, and yet more than that: `arguments`, and what is no plain object but for its prototype.
  if (value[Symbol.toStringTag] !== undefined) return false;
  // Cheaper than keys(). What somebody has added to Object.prototype is looked at, too, and harms nobody.
  for (const key in value) if (!looksExact(value[key], depth + 1)) return false;
  return true;
}

module.exports = { exactText };
