'use strict';
/** Runs first in every worker, also in one whose code knows only node:cluster or no cluster at all. */
if (require('node:worker_threads').isMainThread) require('./cluster.js');
