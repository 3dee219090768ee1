'use strict';
// Ready, serving, and gone a second later.
const http = require('node:http');

http
  .createServer((_req, res) => res.end('the new version'))
  .listen(Number(process.env.PORT), '127.0.0.1', () => {
    setTimeout(() => {
      throw new Error('this version crashes after a second');
    }, 1000);
  });
