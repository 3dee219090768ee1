'use strict';
/** `rustcluster/cluster`, in place of `node:cluster`. */
module.exports = require('./dispatch/index.js');
require('./broadcast/cluster.js').install(module.exports);
// A primary clears up after its workers' stores, and answers for them where memory cannot be shared.
require('./store/index.js');
require('node:module').syncBuiltinESMExports();
