'use strict';
// An app that writes down which requests it has executed, and over which client ports they came.
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const log = fs.openSync(path.join(process.env.LOG_FOLDER, `${process.pid}.log`), 'a');
const answer = (req, res) => {
  const id = req.url.slice(req.url.indexOf('?') + 1);
  // At once: a worker that is killed has said what it did.
  if (id !== '/') fs.writeSync(log, `${id} ${req.socket.remotePort}\n`);
  res.end(String(process.pid));
};
const keepAliveTimeout = Number(process.env.KEEP_ALIVE ?? 5000);
http.createServer({ keepAliveTimeout }, answer).listen(Number(process.env.PORT), '127.0.0.1');
