'use strict';
module.exports = {
  ...require('./kernels/index.js'),
  ...require('./store/index.js'),
  ...require('./supervise/index.js'),
};
