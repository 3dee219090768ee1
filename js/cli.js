#!/usr/bin/env node
'use strict';
/** The `rustcluster` command: a table of subcommands, each a file of cli/. */
const { run } = require('./cli/run.js');

run(process.argv).then((code) => {
  // Set and not process.exit(): what was written to a pipe is still to be flushed.
  process.exitCode = code;
});
