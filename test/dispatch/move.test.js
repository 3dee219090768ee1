'use strict';
// Connections that change their worker: which do, which must not, and what their clients see.
const { passes, scenarios, TRANSPORTS } = require('./run.js');

for (const transport of TRANSPORTS.filter((name) => name !== 'stock')) {
  describe(`moving connections over ${transport}`, () => {
    for (const file of scenarios('move')) {
      it(file, () => passes(file, { env: { RUSTCLUSTER_TRANSPORT: transport } }));
    }
  });
}
