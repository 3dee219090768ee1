'use strict';
/** The gate that the kernels of all workers pass together, so that N workers do not run N times as many as cores. */
const { availableParallelism } = require('./parallelism.js');

// One for the life of the process: the addon keeps its memory open for workers that start later.
let path;

/** @returns {Record<string, string>} what a worker's environment needs to find it; nothing where there is none */
function gateEnvironment() {
  if (path === undefined) {
    try {
      path = require('../native.js').createKernelGate(availableParallelism()) ?? null;
    } catch {
      // Without addon or shared memory each worker's own limit holds.
      path = null;
    }
  }
  return path === null ? {} : { RUSTCLUSTER_KERNEL_GATE: path };
}

module.exports = { gateEnvironment };
