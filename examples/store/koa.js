'use strict';
/**
 * What the articles on clustering reach for Redis and sticky balancing for, with a store that all workers share:
 * a number that costs one database call every ten seconds, however many workers there are, and a log-in that every worker
 * knows.
 *
 *   rustcluster start examples/store/koa.js
 *
 * PORT (3000; 0 takes any free one) and USERS_TTL (milliseconds, 10000) come from the environment.
 */
const Router = require('@koa/router');
const Koa = require('koa');
const { default: session } = require('koa-session');
const { openStore } = require('rustcluster');
const { KoaStore } = require('rustcluster/session');
const { checkPassword, countUsers } = require('./database.js');

const { PORT = '3000', USERS_TTL = '10000', SECRET = 'keep me out of your repository' } = process.env;

const store = openStore('app');
const app = new Koa();
app.keys = [SECRET];

const router = new Router();

router.get('/', (ctx) => {
  ctx.body = `PID: ${process.pid}\n`;
});

router.get('/users', async (ctx) => {
  const usersCount = await store.getOrSet('users', { ttl: Number(USERS_TTL) }, countUsers);
  ctx.body = `Users: ${usersCount}\n`;
});

router.post('/log-in', async (ctx) => {
  const { name, password } = ctx.query;
  if (!(await checkPassword(name, password))) ctx.throw(401, 'wrong name or password');
  ctx.session.name = name;
  // A fresh number for the session, so that one planted before the log-in is worth nothing.
  await ctx.session.regenerate();
  ctx.body = `welcome, ${name}\n`;
});

router.get('/me', (ctx) => {
  if (!ctx.session.name) ctx.throw(401, 'log in first');
  ctx.session.views = (ctx.session.views ?? 0) + 1;
  ctx.body = { name: ctx.session.name, views: ctx.session.views };
});

router.post('/log-out', (ctx) => {
  ctx.session = null;
  ctx.body = 'bye\n';
});

app.use(async (ctx, next) => {
  ctx.set('x-worker', String(process.pid));
  await next();
});
app.use(session({ store: new KoaStore(), maxAge: 3_600_000 }, app));
app.use(router.routes());
// What ctx.throw answers is no fault of this server.
app.on('error', (error) => {
  if (!error.expose) console.error(error);
});

const server = app.listen(Number(PORT));
process.once('SIGTERM', () => server.close());
