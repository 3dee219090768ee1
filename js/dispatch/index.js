'use strict';
/**
 * `rustcluster/cluster`: node:cluster itself, with its way of passing connections replaced. It is the same object, so
 * that libraries which ask for node:cluster see the same workers.
 */
const cluster = require('node:cluster');
const { isMainThread } = require('node:worker_threads');

/** On the object, not in this module: jest loads a module many times in one process. */
const INSTALLED = Symbol.for('rustcluster.dispatch');

if (isMainThread && !Object.hasOwn(cluster, INSTALLED)) {
  Object.defineProperty(cluster, INSTALLED, { value: true });
  const { chooseTransport } = require('./transport.js');
  const transport = chooseTransport();
  const { install } = cluster.isPrimary ? require('./primary.js') : require('./child.js');
  install(cluster, transport);
  require('node:module').syncBuiltinESMExports();
}

module.exports = cluster;
