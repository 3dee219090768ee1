'use strict';
// Files named on the command line run alone; mocha by itself would add them to all the others.
const named = process.argv.slice(2).some((word) => /\.(test|spec)\.js$/.test(word));

module.exports = {
  spec: named ? [] : ['test/**/*.test.js'],
  ignore: ['test/jest/**', 'test/fixtures/**'],
  timeout: 30_000,
  exit: false,
  forbidOnly: true,
};
