'use strict';
/** Numbers on the command line. Each parser returns the value or throws what commander reports as wrong usage. */
const { InvalidArgumentError } = require('commander');

/** @returns {(text: string) => number} a parser of whole numbers from `min` to `max` */
function integer(min, max) {
  return (text) => {
    if (/^\d{1,15}$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

const UNITS = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** @returns {number} bytes, of '1000', '64K', '512M' or '2G' */
function bytes(text) {
  const [, number, unit] = /^(\d{1,12})([kmg]?)i?b?$/i.exec(text) ?? [];
  const value = Number(number) * UNITS[unit?.toLowerCase()];
  if (value > 0 && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("It must be a number of bytes, or one with K, M or G: '512M'.");
}

module.exports = { bytes, integer };
