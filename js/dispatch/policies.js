'use strict';
/** What cluster and servers are told about connections. What the policies do stands in src/dispatch/policy/. */
const { oneOf, typeError } = require('../options.js');

const POLICIES = ['least-connections', 'round-robin', 'sticky', 'kernel'];
const DEFAULT_POLICY = 'least-connections';

/** @returns {string | undefined} a policy's name, undefined as it is @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE */
function checkPolicy(name, value) {
  return value === undefined ? undefined : oneOf(name, value, POLICIES);
}

/** @returns {boolean | undefined} @throws ERR_INVALID_ARG_TYPE */
function checkFlag(name, value) {
  if (value !== undefined && typeof value !== 'boolean') throw typeError(name, 'a boolean', value);
  return value;
}

module.exports = { checkFlag, checkPolicy, DEFAULT_POLICY, POLICIES };
