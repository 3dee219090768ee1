/** A process and all that descends from it, as Linux's /proc tells. */
import { readdirSync, readFileSync } from 'node:fs';
import { residentMemory } from './measure.mjs';

/** Clock ticks a second in /proc: the same on every Linux that Node runs on. */
const TICKS = 100;

/**
 * @param {number} pid
 * @returns {{ pid: number, cpu: number }[]} the process and its descendants; cpu in milliseconds, in steps of 10; empty
 *   where there is no /proc
 */
export function family(pid) {
  const all = new Map(running().map((one) => [one.pid, one]));
  const belongs = (one) => one !== undefined && (one.pid === pid || belongs(all.get(one.parent)));
  return [...all.values()].filter(belongs);
}

/** @param {number} pid @returns {{ cpu: number, peak: number }} milliseconds and bytes, over the whole family */
export function usage(pid) {
  const members = family(pid);
  return {
    cpu: members.reduce((sum, one) => sum + one.cpu, 0),
    peak: members.reduce((sum, one) => sum + (residentMemory(one.pid)?.peak ?? 0), 0),
  };
}

function running() {
  let names;
  try {
    names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
  return names.map(readOne).filter(Boolean);
}

function readOne(pid) {
  let text;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    // It has ended since the folder was read.
    return undefined;
  }
  // The second field is the program's name in brackets, which may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [parent, user, system] = [fields[1], fields[11], fields[12]].map(Number);
  return { pid: Number(pid), parent, cpu: ((user + system) * 1000) / TICKS };
}
