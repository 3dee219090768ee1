'use strict';
/** `node -r rustcluster/register app.js`: an app that uses node:cluster gets rustcluster/cluster without an edit. */
require('./cluster.js');
