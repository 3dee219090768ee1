/** Peak memory of one case, in a process of its own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { peakOfProgram, residentMemory, settle } from './measure.mjs';
import { loadSuites } from './words.mjs';

/**
 * The most memory one run of a case holds, above a Node process that has the inputs in memory; for a program, all of
 * that program's memory.
 * @param {string} word
 * @param {string} suite
 * @param {string} name of the case
 * @param {object} options as the suites were made with
 * @returns {Promise<number | undefined>} bytes; undefined where it cannot be measured
 */
export async function peakAboveNode(word, suite, name, options) {
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify({ word, suite, name, options })], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const answer = once(child, 'message').then(([message]) => message.peak ?? undefined);
  const end = once(child, 'exit').then(() => undefined);
  const peak = await Promise.race([answer, end]);
  await end;
  return peak;
}

/** What the child does. */
async function main({ word, suite, name, options }) {
  const { inputs: load, cases } = (await loadSuites(word, options)).find((one) => one.name === suite);
  const one = cases.find((candidate) => candidate.name === name);
  const inputs = await load();
  if (one.program) {
    const state = await one.setup?.(inputs);
    const peak = await peakOfProgram(one.program(inputs, state));
    await one.teardown?.(state);
    return peak;
  }
  await settle();
  resetPeak();
  const before = residentMemory('self');
  const state = await one.setup?.(inputs);
  await one.run(inputs, state);
  const after = residentMemory('self');
  await one.teardown?.(state);
  return after && after.peak - before.now;
}

/** Making the inputs may have taken more than any case does: the kernel forgets the peak so far. */
function resetPeak() {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not Linux, or not allowed: then the peak of making the inputs stays the floor.
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.once('disconnect', () => process.exit());
  const peak = await main(JSON.parse(process.argv[2]));
  process.send({ peak }, () => process.exit());
}
