'use strict';
/** Mocha's spec reporter, which also writes its counts, and what failed, where scripts/test.js reads them. */
const fs = require('node:fs');
const { reporters } = require('mocha');

module.exports = class TallyReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failures = [];
    runner.on('fail', (test, error) => failures.push(`${test.fullTitle()}\n${error.stack ?? error}`));
    runner.once('end', () => {
      const { passes: passed, failures: failed } = this.stats;
      fs.writeFileSync(process.env.RUSTCLUSTER_TALLY, JSON.stringify({ passed, failed, failures }));
    });
  }
};
