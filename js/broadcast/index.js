'use strict';
require('./fork.js');
const { BroadcastChannel } = require('./channel.js');

module.exports = { BroadcastChannel };
