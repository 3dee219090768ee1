'use strict';
// What goes beyond node:cluster, over both transports that do.
const { passes, scenarios, TRANSPORTS } = require('./run.js');

for (const transport of TRANSPORTS.filter((name) => name !== 'stock')) {
  describe(`dispatch over ${transport}`, () => {
    for (const file of scenarios('ours')) {
      it(file, () => passes(file, { env: { RUSTCLUSTER_TRANSPORT: transport } }));
    }
  });
}
