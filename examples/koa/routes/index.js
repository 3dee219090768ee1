'use strict';
const { Router } = require('@koa/router');
const files = require('./files.js');
const { flip } = require('./flip.js');
const { hash } = require('./hash.js');
const metrics = require('./metrics.js');

// strict: /hash-file/hello.txt/ is no name for a file.
const router = new Router({ strict: true });

router.get('/', (ctx) => {
  ctx.body = `PID: ${process.pid}\n`;
});
router.post('/flip', flip);
router.post('/hash', hash);
router.get('/hash-file/:name', files.hash);
router.get('/compress/:name', files.compress);
router.get('/metrics', metrics.show);

module.exports = router;
