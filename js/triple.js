'use strict';
/** Names the platform as the files and packages of native addons are named. */
const { familySync, MUSL } = require('detect-libc');

/** @returns {string} for example `linux-x64-gnu`, `darwin-arm64`, `win32-x64-msvc` */
function triple() {
  const { platform, arch } = process;
  if (platform === 'linux') return `linux-${arch}-${familySync() === MUSL ? 'musl' : 'gnu'}`;
  return platform === 'win32' ? `win32-${arch}-msvc` : `${platform}-${arch}`;
}

module.exports = { triple };
