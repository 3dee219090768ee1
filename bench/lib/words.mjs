/** The words one can bench, and the modules behind them. A module is loaded when asked for: it needs the peers. */
export const WORDS = {
  flip: () => import('../flip.mjs'),
  hash: () => import('../hash.mjs'),
  gzip: () => import('../gzip.mjs'),
  koa: () => import('../koa.mjs'),
  dispatch: () => import('../dispatch.mjs'),
  broadcast: () => import('../broadcast.mjs'),
  store: () => import('../store.mjs'),
};

/**
 * The suites of a word.
 * @param {string} word
 * @param {object} options
 * @returns {Promise<import('./suite.mjs').Suite[]>}
 */
export async function loadSuites(word, options) {
  return (await WORDS[word]()).suites(options);
}
