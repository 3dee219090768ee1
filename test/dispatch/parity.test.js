'use strict';
// What Node documents of `cluster` holds over every transport; over 'stock' it is node:cluster itself that is tested,
// so that each scenario's expectation is Node's own behaviour.
const { passes, scenarios, TRANSPORTS } = require('./run.js');

for (const transport of TRANSPORTS) {
  describe(`cluster over ${transport}`, () => {
    for (const file of scenarios('parity')) {
      it(file, () => passes(file, { env: { RUSTCLUSTER_TRANSPORT: transport } }));
    }
  });
}
