/** What a scenario promises, judged. */

/**
 * @param {string} what
 * @param {'at most' | 'at least' | 'exactly'} limit
 * @param {number} required
 * @param {number} measured
 */
export function promise(what, limit, required, measured) {
  const ok = {
    'at most': measured <= required,
    'at least': measured >= required,
    exactly: measured === required,
  }[limit];
  return { what, limit, required, measured, ok };
}

/** Something that is so or is not. */
export const holds = (what, ok) => promise(what, 'exactly', 1, Number(Boolean(ok)));
