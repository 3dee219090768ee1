'use strict';
/** `onProgress` of file jobs: asked for now and then, so that a job need not call into JavaScript. */
const { clearInterval, setInterval } = require('node:timers');

/** Milliseconds between two reports: with the one at the end at most 18 a second. */
const INTERVAL = 60;

/**
 * Reports how far a job is until it has ended. A callback that throws aborts the job.
 * @param {object} desk the addon's
 * @param {number} id the job's
 * @param {(progress: { bytesDone: number, total?: number }) => void} onProgress
 * @returns {(last?: object) => { thrown: unknown } | undefined} to be called when the job has ended, with its last
 *   progress if it succeeded; answers with what the callback threw, if it did
 */
function watch(desk, id, onProgress) {
  let reported = -1;
  let failed;
  const report = (progress) => {
    if (failed !== undefined || progress.bytesDone === reported) return;
    reported = progress.bytesDone;
    try {
      onProgress({ bytesDone: progress.bytesDone, total: progress.total ?? undefined });
    } catch (thrown) {
      failed = { thrown };
      desk.abort(id);
    }
  };
  // From the first question on the addon keeps the answer for the job's end.
  desk.watch(id);
  const timer = setInterval(() => {
    const progress = desk.watch(id);
    // Nothing yet to tell, or a job that has ended and is about to say so.
    if (progress && progress.bytesDone > 0) report(progress);
  }, INTERVAL);
  // The job itself keeps the event loop alive.
  timer.unref();
  return (last) => {
    clearInterval(timer);
    if (last) report(last);
    return failed;
  };
}

module.exports = { watch };
