'use strict';
/** The only file that loads the addon: the one built here, or the prebuilt package for this platform. */
const { createError } = require('./errors.js');
const { triple } = require('./triple.js');

function load() {
  const name = triple();
  const failures = [];
  for (const candidate of [`../rustcluster.${name}.node`, `@rustcluster/native-${name}`]) {
    try {
      return require(candidate);
    } catch (error) {
      failures.push(error);
    }
  }
  // A file that is there and does not load says more than a package that is not there.
  const cause = failures.find((failure) => failure.code !== 'MODULE_NOT_FOUND') ?? failures[0];
  const remedy =
    cause.code === 'ERR_DLOPEN_DISABLED'
      ? 'Allow it with --allow-addons'
      : 'Run "npm rebuild rustcluster"; where no prebuilt addon exists it needs Rust, from https://rustup.rs';
  const reason = cause.message.split('\n')[0].replace(/\.$/, '');
  throw createError('ERR_NATIVE_LOAD', `No native addon for ${name}: ${reason}. ${remedy}`, { cause });
}

module.exports = load();
