/** What the figures were measured on. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { ROOT } from './ours.mjs';
import { peerVersions } from './peers.mjs';

/** @param {string} name of a program @returns {boolean} whether it can be started */
export const hasProgram = (name) => !spawnSync(name, ['--version'], { stdio: 'ignore' }).error;

/** @returns {object} plain data */
export function describeMachine() {
  const [cpu] = os.cpus();
  return {
    cpu: cpu?.model.trim(),
    cores: os.availableParallelism(),
    flags: ['sha_ni', 'avx2', 'avx512f', 'avx512bw', 'avx512vl', 'bmi2', 'sha2'].filter((flag) => cpuFlags().has(flag)),
    memory: os.totalmem(),
    system: `${os.platform()} ${os.release()} ${os.arch()}`,
    node: process.version,
    openssl: process.versions.openssl,
    environment: pick(process.env, ['OPENSSL_ia32cap', 'RUSTCLUSTER_SHA256', 'NODE_OPTIONS', 'UV_THREADPOOL_SIZE']),
    packages: { rustcluster: JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')).version, ...peerVersions() },
    jpegtran: jpegtranVersion(),
    commit: spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).stdout?.trim(),
  };
}

/** The CPU's features as Linux names them; empty elsewhere. */
function cpuFlags() {
  try {
    const text = readFileSync('/proc/cpuinfo', 'latin1');
    return new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(text)?.[1].trim().split(' '));
  } catch {
    return new Set();
  }
}

function jpegtranVersion() {
  const { stderr, stdout } = spawnSync('jpegtran', ['-version'], { input: '', encoding: 'utf8' });
  return `${stderr ?? ''}${stdout ?? ''}`.trim().split('\n')[0] || undefined;
}

const pick = (object, names) => Object.fromEntries(names.filter((name) => name in object).map((n) => [n, object[n]]));
