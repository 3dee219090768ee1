'use strict';
/**
 * The server. `node examples/koa/app.js` runs it in one process, `rustcluster start examples/koa/app.js` on all cores:
 * not a line differs.
 *
 * PORT (3000; 0 takes any free one) and HOST (all addresses) come from the environment.
 */
const log = require('./lib/log.js');
const { createApp } = require('./server.js');

const { PORT = '3000', HOST } = process.env;

const server = createApp().listen(Number(PORT), HOST, () => {
  const { address, port } = server.address();
  log(`listening on http://${address.includes(':') ? `[${address}]` : address}:${port}`);
});

server.on('error', (error) => {
  log(`cannot listen: ${error.message}`);
  process.exitCode = 1;
});

// Alone, it has to end itself in order; in a cluster the supervisor has already seen to that, and this does no harm.
process.once('SIGTERM', () => server.close());
