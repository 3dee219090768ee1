'use strict';
/** Mocha's spec reporter, which also writes its counts where scripts/test.js reads them. */
const fs = require('node:fs');
const { reporters } = require('mocha');

module.exports = class TallyReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once('end', () => {
      const { passes, failures } = this.stats;
      fs.writeFileSync(process.env.RUSTCLUSTER_TALLY, JSON.stringify({ passed: passes, failed: failures }));
    });
  }
};
