'use strict';
/**
 * `rustcluster/cluster`: node:cluster itself, with its way of passing connections replaced. It is the same object, so
 * that libraries which ask for node:cluster see the same workers.
 */
const cluster = require('node:cluster');
const { isMainThread } = require('node:worker_threads');

const { INTERNALS, none } = require('./internals.js');

if (isMainThread && !Object.hasOwn(cluster, INTERNALS)) {
  Object.defineProperty(cluster, INTERNALS, { value: { ...none } });
  const { chooseTransport } = require('./transport.js');
  const transport = chooseTransport();
  const { install } = cluster.isPrimary ? require('./primary.js') : require('./child.js');
  install(cluster, transport);
  require('node:module').syncBuiltinESMExports();
}

module.exports = cluster;
