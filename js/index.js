module.exports = { ...require('./kernels/index.js') };
