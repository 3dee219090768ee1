'use strict';
// The primary, its workers and their threads, in every way that they can come by each other.
const { passes, SETTINGS } = require('./run.js');

for (const [name, env] of Object.entries(SETTINGS)) {
  describe(`broadcast in ${name}`, () => {
    it('brings everything to everyone, in one order', () => passes('everyone.js', { env }));

    if (env.SETTING === 'rustcluster') {
      it("reaches workers as 'message' by cluster.broadcast()", () => passes('cluster-broadcast.js', { env }));
    }
  });
}

describe('a worker that cannot open the ring', () => {
  it('says so, and is served by the primary', () => passes('no-ring.js', { env: { SETTING: 'stock' } }));
});

describe('a worker whose primary has not loaded rustcluster', () => {
  it('is told that nobody hears it', () => passes('cut-off.js', { env: {} }));
});

describe('a ring that is full', () => {
  const env = { SETTING: 'rustcluster', RUSTCLUSTER_BROADCAST_SIZE: '65536' };

  it('refuses and waits, and loses nothing', () => passes('full.js', { env }));

  it('goes on without a reader that has lagged too long, which is told', () => passes('lag.js', { env }));
});

describe('a publishing worker that is killed', () => {
  // KILLS=1000 npx mocha test/broadcast -g killed, or npm run bench -- broadcast --only kills
  const kills = process.env.KILLS ?? '5';

  it('harms nobody, at whatever instant', function () {
    const within = 100_000 + 1000 * Number(kills);
    this.timeout(within + 20_000);
    return passes('kills.js', { env: { SETTING: 'rustcluster', KILLS: kills }, within });
  });
});
