'use strict';
module.exports = {
  ...require('./kernels/index.js'),
  ...require('./broadcast/index.js'),
  ...require('./store/index.js'),
  ...require('./supervise/index.js'),
};
