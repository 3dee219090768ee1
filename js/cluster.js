'use strict';
/** `rustcluster/cluster`, in place of `node:cluster`. */
module.exports = require('./dispatch/index.js');
require('./broadcast/cluster.js').install(module.exports);
require('node:module').syncBuiltinESMExports();
