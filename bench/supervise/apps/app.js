'use strict';
// A plain app: answers at once, or after a while, or never.
const http = require('node:http');

const answers = {
  '/': (res) => res.end(String(process.pid)),
  '/slow': (res) => setTimeout(() => res.end(String(process.pid)), 20),
  '/hold': (res) => res.write(String(process.pid)),
  '/block': (res) =>
    res.write(String(process.pid), () => {
      for (;;);
    }),
};
http.createServer((req, res) => answers[req.url](res)).listen(Number(process.env.PORT), '127.0.0.1');
