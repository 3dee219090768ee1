'use strict';
const { statusOf } = require('../lib/http-error.js');

/** Every failure becomes JSON with a `code`; what is our own fault tells no details to the client. */
async function errors(ctx, next) {
  try {
    await next();
    if (ctx.status === 404 && ctx.body === undefined) answer(ctx, 404, 'ERR_NOT_FOUND', 'No such route');
  } catch (error) {
    const status = statusOf(error);
    if (status === 503) ctx.set('Retry-After', '1');
    // What is left of a body we refused would be read as the next request: end the connection instead.
    if (!ctx.req.complete) ctx.set('Connection', 'close');
    if (status < 500 || status === 503) answer(ctx, status, error.code, error.message);
    else {
      answer(ctx, 500, 'ERR_INTERNAL', 'Something went wrong');
      ctx.app.emit('error', error, ctx);
    }
  }
}

function answer(ctx, status, code, message) {
  ctx.status = status;
  ctx.body = { code, message };
}

module.exports = errors;
