'use strict';
/** Tells on the terminal what a supervisor does: the start on stdout, what goes wrong on stderr. */

const say = (line) => process.stdout.write(`rustcluster: ${line}\n`);
const warn = (line) => process.stderr.write(`rustcluster: ${line}\n`);

/** @returns {string} what to type into a browser, for an address as node:cluster reports it */
function url({ address, addressType, port }) {
  if (addressType === -1) return `unix:${address}`;
  const anywhere = address === null || address === '::' || address === '0.0.0.0';
  const host = anywhere ? 'localhost' : addressType === 6 ? `[${address}]` : address;
  return `http://${host}:${port}`;
}

const urls = (list) => [...new Set(list.flatMap(({ addresses }) => addresses.map(url)))].join(', ');

const plural = (count) => `${count} ${count === 1 ? 'worker' : 'workers'}`;

const lines = {
  ready: ({ pid, workers, list }) => say(`${plural(workers)} ready, pid ${pid}, ${urls(list) || 'not listening'}`),
  'worker:exit': ({ slot, pid }, { code, signal, expected, delay }) => {
    if (expected) return;
    const how = signal ? `by ${signal}` : `with exit code ${code}`;
    warn(`worker ${slot} (pid ${pid}) ended ${how}${delay === undefined ? '' : `; a new one starts in ${delay} ms`}`);
  },
  scale: ({ from, to }) => say(`scaling from ${from} to ${plural(to)}`),
  'reload:start': () => say('reloading'),
  'reload:end': ({ workers }) => say(`reloaded ${plural(workers)}`),
  'reload:refused': ({ code, message }) => warn(`${code}: ${message}`),
  'shutdown:start': () => say('stopping'),
};

/** @param {import('../supervise/types').Supervisor} supervisor */
function narrate(supervisor) {
  for (const [event, tell] of Object.entries(lines)) supervisor.on(event, tell);
}

module.exports = { narrate, url };
