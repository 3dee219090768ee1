'use strict';
/** Runs scenarios: programs under test/fixtures/broadcast/ that end with code 0 when all went as they expect. */
const path = require('node:path');
const dispatch = require('../dispatch/run.js');

/** The ways a worker can come by its ring, and the one without. */
const SETTINGS = {
  'rustcluster/cluster': { SETTING: 'rustcluster' },
  'node:cluster': { SETTING: 'stock' },
  'rustcluster/cluster over IPC': { SETTING: 'rustcluster', RUSTCLUSTER_BROADCAST: 'ipc' },
  'node:cluster over IPC': { SETTING: 'stock', RUSTCLUSTER_BROADCAST: 'ipc' },
};

const passes = (file, options) => dispatch.passes(path.join('../broadcast', file), options);

module.exports = { passes, SETTINGS };
