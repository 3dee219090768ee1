'use strict';
// A plain app that answers, and on request hangs in every way there is.
const fs = require('node:fs');
const http = require('node:http');

const pid = String(process.pid);
/** What this worker has taken and begun is on record, so that it can be told what died with it. */
function record(what) {
  if (process.env.LOG_FILE) fs.appendFileSync(process.env.LOG_FILE, `${what} ${pid}\n`);
}

const answers = {
  '/': (res) => res.end(pid),
  '/hold': (res) => res.write(pid),
  // 10 ms of waiting, as for a database.
  '/work': (res, query) => {
    record(`begun ${query}`);
    setTimeout(() => res.end(pid), 10);
  },
  '/block': (res) =>
    res.write(pid, () => {
      for (;;);
    }),
  '/wait': (res) => res.write(pid, () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)),
  // Native threads that are busy for as long as the process lives.
  '/native': (res) => {
    const { hash } = require('../../../js/index.js');
    const data = Buffer.alloc(256 * 2 ** 20);
    const again = () => hash('sha512', data).then(again);
    again();
    res.write(pid);
  },
};
http
  .createServer((req, res) => {
    const [path, query] = req.url.split('?');
    answers[path](res, query);
  })
  .on('connection', ({ remotePort }) => record(`taken ${remotePort}`))
  .listen(Number(process.env.PORT), '127.0.0.1');
