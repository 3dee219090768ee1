/** The arithmetic of the benchmarks. Pure: no clock, no I/O. */

/**
 * The value below which a share `q` of the values lies, interpolated between neighbours.
 * @param {number[]} values at least one, in any order
 * @param {number} q from 0 to 1
 * @returns {number}
 */
export function quantile(values, q) {
  if (values.length === 0) throw new RangeError('quantile of no values');
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  const above = Math.ceil(position);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
}

/** @param {number[]} values @returns {number} */
export const median = (values) => quantile(values, 0.5);

/**
 * The smallest and the middle value: the smallest is what the work costs undisturbed, the middle what one sees.
 * @param {number[]} values
 * @returns {{ min: number, median: number }}
 */
export const summarize = (values) => ({ min: quantile(values, 0), median: median(values) });

/**
 * How many times ours the peer needs, for the smallest and the middle value.
 * @param {{ min: number, median: number }} peer
 * @param {{ min: number, median: number }} ours
 * @returns {{ min: number, median: number }}
 */
export const ratio = (peer, ours) => ({ min: peer.min / ours.min, median: peer.median / ours.median });

/**
 * The order in which one round runs the cases: every round starts one case later, so that none always follows the same
 * neighbour or always runs first.
 * @template T
 * @param {T[]} list
 * @param {number} round from 0
 * @returns {T[]}
 */
export function rotate(list, round) {
  const start = list.length === 0 ? 0 : round % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

/**
 * The whole plan of a measurement: rounds in which every case runs once, rotated. A case that asks for fewer rounds is
 * left out of some, spread evenly over the whole.
 * @template {{ rounds?: number }} T
 * @param {T[]} cases
 * @param {number} rounds
 * @returns {T[][]} one list of cases for each round
 */
export function interleave(cases, rounds) {
  return Array.from({ length: rounds }, (_, round) => rotate(cases, round).filter((one) => takesPart(one, round)));

  function takesPart(one, round) {
    const wanted = Math.min(one.rounds ?? rounds, rounds);
    return Math.floor(((round + 1) * wanted) / rounds) > Math.floor((round * wanted) / rounds);
  }
}

/**
 * Peak signal-to-noise ratio of two byte arrays of one length.
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 * @returns {number} in dB; Infinity when they are equal
 */
export function psnr(a, b) {
  if (a.length !== b.length) throw new RangeError(`psnr of ${a.length} and ${b.length} samples`);
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = a[i] - b[i];
    sum += difference * difference;
  }
  return sum === 0 ? Infinity : 10 * Math.log10((255 * 255 * a.length) / sum);
}

/**
 * Judges one promise of the form "our cost is at most this share of the peer's" or "our speed at least this many times
 * the peer's". Both are ratios of medians.
 * @param {{ metric: 'cpu' | 'wall', atMost?: number, speed?: number, incredible?: number }} target exactly one of
 *   `atMost` and `speed`; from the speed `incredible` on, the two cannot have run under the same conditions
 * @param {{ cpu: { median: number }, wall: { median: number } }} ours
 * @param {{ cpu: { median: number }, wall: { median: number } }} peer
 * @returns {{ measured: number, required: number, ok: boolean }}
 */
export function judge({ metric, atMost, speed, incredible = Number.POSITIVE_INFINITY }, ours, peer) {
  const cost = ours[metric].median / peer[metric].median;
  if (1 / cost >= incredible) return { measured: 1 / cost, required: speed, ok: false, incredible };
  return atMost === undefined
    ? { measured: 1 / cost, required: speed, ok: 1 / cost >= speed }
    : { measured: cost, required: atMost, ok: cost <= atMost };
}
