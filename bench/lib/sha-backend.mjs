/** Which of our SHA-256 engines serves best on a CPU that lacks the SHA extensions. */
import { spawnSync } from 'node:child_process';
import { ROOT } from './ours.mjs';

/** What a dispatch without SHA extensions would take first, then next, and so on. */
const PREFERENCE = ['avx512', 'avx512vl', 'avx2', 'ring', 'portable'];

/**
 * @returns {string} the first of the engines, best first, that this version and this CPU have
 * @throws {Error} when there is none
 */
export function backendWithoutShaNi() {
  const found = PREFERENCE.find((name) => {
    const script = `require(${JSON.stringify(`${ROOT}/js/index.js`)}).hash('sha256', 'x').catch(() => process.exit(1))`;
    const { status } = spawnSync(process.execPath, ['-e', script], {
      env: { ...process.env, RUSTCLUSTER_SHA256: name },
      stdio: 'ignore',
    });
    return status === 0;
  });
  if (!found) throw new Error(`None of the engines ${PREFERENCE.join(', ')} runs here`);
  return found;
}
