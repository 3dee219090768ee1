'use strict';
/**
 * @param {{ stdio?: unknown, silent?: boolean }} settings of node:cluster
 * @returns {unknown[]} the stdio child_process.fork() would make of them, as a list that more can be added to
 */
function stdioList({ stdio, silent }) {
  if (Array.isArray(stdio)) return [...stdio];
  const each = typeof stdio === 'string' ? stdio : silent ? 'pipe' : 'inherit';
  return [each, each, each, 'ipc'];
}

module.exports = { stdioList };
