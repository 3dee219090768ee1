'use strict';
// The articles' two needs for shared state, on real clusters: one database call for all workers, one log-in for all.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { killCommands, startApp } = require('../fixtures/command.js');
const { request } = require('../fixtures/http.js');
const { cleanUp, folder } = require('../fixtures/store/harness.js');

const app = (name) => path.join(__dirname, '../../examples/store', name);
/** How an app is put on several cores: by `rustcluster start`, which forks with rustcluster/cluster. */
const start = (name, env) => startApp(app(name), ['-w', '4'], { env });

/** Each on a connection of its own, so that the workers take turns. */
const many = (port, count, where, options) =>
  Promise.all(Array.from({ length: count }, () => request(port, where, options)));
const workers = (answers) => new Set(answers.map(({ headers }) => headers['x-worker'])).size;
const texts = (answers) => [...new Set(answers.map(({ text }) => text.trim()))];

for (const name of ['koa.js', 'express.js']) {
  describe(`the store example on four workers, ${name}`, () => {
    afterEach(async () => {
      await killCommands();
      await cleanUp();
    });

    it('leaves nothing behind', async () => {
      const place = folder();
      const { port, child, ended } = await start(name, { RUSTCLUSTER_STORE_DIR: place });
      await request(port, '/users');
      assert.equal(fs.readdirSync(place).length, 1);
      child.kill('SIGTERM');
      await ended;
      assert.deepEqual(fs.readdirSync(place), []);
    });

    it('asks the database once for all workers', async () => {
      const DATABASE = path.join(folder(), 'users');
      const { port } = await start(name, { DATABASE, USERS_TTL: '3600000' });
      const answers = [];
      // How soon another worker's turn comes is the policy's affair, and the scheduler's.
      while (workers(answers) < 2) answers.push(...(await many(port, 100, '/users')));
      assert.deepEqual(texts(answers), ['Users: 25']);
      assert.equal(fs.readFileSync(DATABASE, 'utf8'), '25', 'one call: each squares what is there');
    });

    it('asks it again when the time is over', async () => {
      const { port } = await start(name, { DATABASE: path.join(folder(), 'users'), USERS_TTL: '100' });
      const next = async () => (await request(port, '/users')).text;
      assert.equal(await next(), 'Users: 25\n');
      let last = await next();
      while (last === 'Users: 25\n') last = await next();
      assert.equal(last, 'Users: 625\n');
    });

    it('keeps a log-in on every worker', () => logIn());
    it('keeps it without shared memory, too', () => logIn({ RUSTCLUSTER_STORE: 'ipc' }));

    async function logIn(env) {
      const { port } = await start(name, env);
      assert.equal((await request(port, '/me')).status, 401);
      const wrong = await request(port, '/log-in?name=ada&password=guess', { method: 'POST' });
      assert.equal(wrong.status, 401);
      const welcome = await request(port, '/log-in?name=ada&password=open%20sesame', { method: 'POST' });
      assert.equal(welcome.text, 'welcome, ada\n');
      const cookie = welcome.headers['set-cookie'].map((one) => one.split(';')[0]).join('; ');
      const answers = [];
      while (answers.length < 40 || workers(answers) < 2) {
        answers.push(await request(port, '/me', { headers: { cookie } }));
      }
      answers.forEach(({ status, json }, n) => {
        assert.equal(status, 200);
        // Each request saw what the one before it, on another worker, had written.
        assert.deepEqual(json(), { name: 'ada', views: n + 1 });
      });
      assert.equal((await request(port, '/log-out', { method: 'POST', headers: { cookie } })).status, 200);
      const after = await many(port, 20, '/me', { headers: { cookie } });
      assert.deepEqual([...new Set(after.map(({ status }) => status))], [401]);
    }
  });
}
