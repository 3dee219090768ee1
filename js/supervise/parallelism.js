'use strict';
/**
 * How many processors this process may really use: its affinity mask (`taskset`, cpuset) and the CPU quota of its
 * cgroup and of every cgroup above it (v1 and v2). A fractional quota is rounded up, so that no CPU time that was
 * paid for stays out of reach.
 *
 * Read anew at each call: a quota can change while the process runs.
 * @returns {number} a whole number, at least 1
 * @throws ERR_NATIVE_LOAD
 */
function availableParallelism() {
  // Loaded here and not above: a supervisor that is told how many workers to run needs no addon.
  return require('../native.js').availableParallelism();
}

module.exports = { availableParallelism };
