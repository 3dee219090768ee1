'use strict';
const log = require('../lib/log.js');

/** One line for each request, once it has been answered or given up. */
async function requestLog(ctx, next) {
  const start = performance.now();
  ctx.res.once('close', () => {
    const outcome = ctx.res.writableFinished ? ctx.status : 'aborted';
    log(`${ctx.method} ${ctx.originalUrl} ${outcome} ${(performance.now() - start).toFixed(1)}ms`);
  });
  await next();
}

/** One line for what nobody expected. */
requestLog.failure = (error) => log(`error: ${error.stack ?? error}`);

module.exports = requestLog;
