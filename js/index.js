'use strict';
module.exports = { ...require('./kernels/index.js'), ...require('./supervise/index.js') };
