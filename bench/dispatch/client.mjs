/**
 * The program that asks the servers, bench/http-load.rs. What a client takes of the machine's cores is missing to every
 * server alike, and makes servers look more like each other than they are: so it takes little.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { buildExample, lacksExample } from '../lib/rust.mjs';

const execute = promisify(execFile);
const EXAMPLE = 'http-load';

/**
 * Builds it, where there is cargo.
 * @returns {undefined | ((...words: (string | number)[]) => Promise<number[]>)} runs it with the words it documents, and
 *   answers the numbers it prints; rejects when an answer was wrong
 */
export function httpLoad() {
  if (lacksExample(EXAMPLE)) return undefined;
  const program = buildExample(EXAMPLE);
  return async (...words) => {
    const { stdout } = await execute(program, words.map(String));
    return stdout.trim().split(/\s+/).map(Number);
  };
}
