'use strict';
// Apps as people write them, on frameworks that are not among this package's own; one that is not installed is skipped.
const { passes, scenarios, TRANSPORTS } = require('./run.js');
const path = require('node:path');

const NEEDS = { 'socket.io': ['socket.io', 'socket.io-client'] };

function isInstalled(name) {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

for (const transport of TRANSPORTS.filter((name) => name !== 'stock')) {
  describe(`frameworks over ${transport}`, () => {
    for (const file of scenarios('frameworks')) {
      const name = path.basename(file, '.js');
      const run = (NEEDS[name] ?? [name]).every(isInstalled) ? it : it.skip;
      run(name, () => passes(file, { env: { RUSTCLUSTER_TRANSPORT: transport } }));
    }
  });
}
