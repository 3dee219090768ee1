'use strict';
/**
 * A signal that is aborted when the client goes away before it has its answer.
 * @param {import('koa').Context} ctx
 * @returns {AbortSignal}
 */
function clientSignal(ctx) {
  const controller = new AbortController();
  const gone = () => {
    if (!ctx.res.writableFinished) controller.abort(new Error('The client closed the connection'));
  };
  if (ctx.res.destroyed || ctx.req.socket.destroyed) gone();
  ctx.res.once('close', gone);
  return controller.signal;
}

module.exports = { clientSignal };
