/** The only file that loads the addon: the one built here, or the prebuilt package for this platform. */
const { familySync, MUSL } = require('detect-libc');
const { createError } = require('./errors.js');

function triple() {
  const { platform, arch } = process;
  if (platform === 'linux') return `linux-${arch}-${familySync() === MUSL ? 'musl' : 'gnu'}`;
  return platform === 'win32' ? `win32-${arch}-msvc` : `${platform}-${arch}`;
}

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
  throw createError(
    'ERR_NATIVE_LOAD',
    `No native addon for ${name}. Run "npm rebuild rustcluster" (it needs Rust where no prebuilt addon exists); ` +
      `tried: ${failures.map((f) => f.message.split('\n')[0]).join('; ')}`,
    { cause: failures[0] },
  );
}

module.exports = load();
module.exports.triple = triple;
