'use strict';
/** The names of the policies; what they do stands in src/dispatch/policy/. */
const { oneOf } = require('../options.js');

const POLICIES = ['least-connections', 'round-robin', 'sticky', 'kernel'];
const DEFAULT_POLICY = 'least-connections';

/** @returns {string | undefined} a policy's name, undefined as it is @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE */
function checkPolicy(name, value) {
  return value === undefined ? undefined : oneOf(name, value, POLICIES);
}

module.exports = { checkPolicy, DEFAULT_POLICY, POLICIES };
