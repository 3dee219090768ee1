'use strict';
/** Sets X-Response-Time: milliseconds until the answer's head is ready. */
async function responseTime(ctx, next) {
  const start = performance.now();
  await next();
  ctx.set('X-Response-Time', `${(performance.now() - start).toFixed(1)}ms`);
}

module.exports = responseTime;
