'use strict';
/**
 * The same as koa.js, with Express: one database call every ten seconds for all workers, and a log-in that every worker
 * knows, without sticky balancing.
 *
 *   rustcluster start examples/store/express.js
 */
const express = require('express');
const session = require('express-session');
const { openStore } = require('rustcluster');
const { ExpressStore } = require('rustcluster/session');
const { checkPassword, countUsers } = require('./database.js');

const { PORT = '3000', USERS_TTL = '10000', SECRET = 'keep me out of your repository' } = process.env;

const store = openStore('app');
const app = express();

app.use((_request, response, next) => {
  response.set('x-worker', String(process.pid));
  next();
});
app.use(
  session({
    store: new ExpressStore(),
    secret: SECRET,
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: 3_600_000 },
  }),
);

app.get('/', (_request, response) => {
  response.send(`PID: ${process.pid}\n`);
});

app.get('/users', async (_request, response) => {
  const usersCount = await store.getOrSet('users', { ttl: Number(USERS_TTL) }, countUsers);
  response.send(`Users: ${usersCount}\n`);
});

app.post('/log-in', async (request, response) => {
  const { name, password } = request.query;
  if (!(await checkPassword(name, password))) return response.status(401).send('wrong name or password\n');
  // A fresh number for the session, so that one planted before the log-in is worth nothing.
  request.session.regenerate((error) => {
    if (error) return response.status(500).end();
    request.session.name = name;
    response.send(`welcome, ${name}\n`);
  });
});

app.get('/me', (request, response) => {
  if (!request.session.name) return response.status(401).send('log in first\n');
  request.session.views = (request.session.views ?? 0) + 1;
  response.json({ name: request.session.name, views: request.session.views });
});

app.post('/log-out', (request, response) => {
  request.session.destroy((error) => response.status(error ? 500 : 200).send('bye\n'));
});

const server = app.listen(Number(PORT));
process.once('SIGTERM', () => server.close());
