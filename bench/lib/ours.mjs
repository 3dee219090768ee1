/** The package under test, from this very checkout. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** The folder of the checkout. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const ours = createRequire(import.meta.url)('../../js/index.js');
const CLI = fileURLToPath(new URL('../../js/cli.js', import.meta.url));

/** @param {string} name of an export @returns {string | false} why a case that needs it is skipped */
export const lacks = (name) => typeof ours[name] !== 'function' && `this version does not export ${name}`;

/** @param {...string} args @returns {string[]} the command that runs our command line */
export const cli = (...args) => [process.execPath, CLI, ...args];

/** @returns {string | false} why a case that needs the command line is skipped */
export const lacksCli = () => !existsSync(CLI) && 'this version has no command line';
