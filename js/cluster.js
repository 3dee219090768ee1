'use strict';
/** `rustcluster/cluster`, in place of `node:cluster`. */
module.exports = require('./dispatch/index.js');
