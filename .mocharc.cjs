'use strict';
// Files named on the command line run alone; mocha by itself would add them to all the others.
const named = process.argv.slice(2).some((word) => /\.(test|spec)\.js$/.test(word));

module.exports = {
  spec: named ? [] : ['test/**/*.test.js'],
  ignore: ['test/jest/**', 'test/fixtures/**'],
  // Only what hangs takes as long: a busy machine is no failure.
  timeout: 120_000,
  exit: false,
  forbidOnly: true,
};
