'use strict';
/** What each signal asks of the supervisor: one table. */

const onSignal = {
  SIGTERM: (supervisor) => stop(supervisor),
  SIGINT: (supervisor) => stop(supervisor),
  SIGUSR2: (supervisor) => supervisor.reload(),
  SIGHUP: (supervisor) => supervisor.reload(),
  SIGTTIN: (supervisor) => supervisor.scale(supervisor.status().workers + 1),
  SIGTTOU: (supervisor) => supervisor.scale(Math.max(1, supervisor.status().workers - 1)),
};

/** The first one ends all in order, a second one at once. */
const stop = (supervisor) => supervisor.shutdown({ force: supervisor.status().state === 'stopping' });

/**
 * Obeys signals from now on. As a side effect none of them ends the process by itself any more.
 * @param {import('./types').Supervisor} supervisor
 * @returns {() => void} stops obeying
 */
function obeySignals(supervisor) {
  const listeners = Object.entries(onSignal).map(([signal, act]) => {
    const listener = () => {
      // A refused reload has been reported by its event; a signal has nobody to throw at.
      Promise.resolve(act(supervisor)).catch(() => {});
    };
    // Windows knows only some of them.
    try {
      process.on(signal, listener);
    } catch {}
    return [signal, listener];
  });
  return () => {
    for (const [signal, listener] of listeners) process.removeListener(signal, listener);
  };
}

module.exports = { obeySignals };
