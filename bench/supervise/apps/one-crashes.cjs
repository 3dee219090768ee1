'use strict';
// Of two workers one is sound and one crashes at every start.
const fs = require('node:fs');
const http = require('node:http');

fs.appendFileSync(process.env.LOG_FILE, `${process.env.RUSTCLUSTER_SLOT}\n`);
if (process.env.RUSTCLUSTER_SLOT === '1' || process.env.ALL_CRASH === '1') throw new Error('it crashes at every start');
http.createServer((_req, res) => res.end('sound')).listen(Number(process.env.PORT), '127.0.0.1');
