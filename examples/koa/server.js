'use strict';
/** The app: middlewares from the outside in, then the routes. */
const Koa = require('koa');
const errors = require('./middlewares/errors.js');
const requestLog = require('./middlewares/request-log.js');
const responseTime = require('./middlewares/response-time.js');
const { count } = require('./routes/metrics.js');
const routes = require('./routes/index.js');

/** @returns {Koa} an app that is not listening yet */
function createApp() {
  const app = new Koa();
  app.use(responseTime);
  app.use(requestLog);
  app.use(count);
  app.use(errors);
  app.use(routes.routes());
  // A client that leaves in mid-answer is no fault of this server; anything else is worth a line.
  app.on('error', (error) => {
    if (!['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'].includes(error.code)) requestLog.failure(error);
  });
  return app;
}

module.exports = { createApp };
