'use strict';
/** `rustcluster reload|scale|status|stop`: thin clients of a running supervisor's control socket. */
const { Argument, Option } = require('commander');
const { ask, findSupervisor, supervisors } = require('../supervise/client.js');
const { integer } = require('./arguments.js');

const say = (line) => process.stdout.write(`rustcluster: ${line}\n`);

/** What each step is told as; a step that is not here is not told. */
const lines = {
  'reload:start': ({ workers }) => `reloading ${workers} ${workers === 1 ? 'worker' : 'workers'}`,
  'reload:step': ({ step, slot, pid, joined, total }) =>
    `worker ${slot} (pid ${pid}) ${STEPS[step]} [${joined}/${total}]`,
  'worker:stalled': ({ slot, pid }) => `worker ${slot} (pid ${pid}) hangs`,
  'shutdown:start': () => 'stopping',
};

const STEPS = {
  ready: 'is ready, on probation',
  joined: 'serves',
  retired: 'has proved itself; the old one drains',
};

function onProgress({ event, ...step }) {
  if (Object.hasOwn(lines, event)) say(lines[event](step));
}

function define(program, act) {
  const command = (name, description, action) => {
    const defined = program.command(name).description(description);
    if (name === 'scale') {
      defined.addArgument(new Argument('<workers>', 'how many there shall be').argParser(integer(1, 1024)));
    }
    return defined
      .argument('[app]', 'name, pid or file of the app; needed where several run')
      .addOption(new Option('--control <path>', 'its control socket'))
      .action(act(action));
  };
  return [
    command('reload', 'Replace all workers by new ones that run the code now on disk', reload),
    command('scale', 'Change the number of workers', scale),
    command('status', 'Show what runs', status).option('--json', 'all there is to know, as JSON'),
    command('stop', 'Stop in order: running requests are finished', stop).option('--force', 'kill the workers at once'),
  ];
}

const find = (app, { control }) => control ?? findSupervisor(app);

/** @returns {Promise<number>} 0; a refused reload is an error, with exit code 1 */
async function reload(app, options) {
  const { workers } = await ask(await find(app, options), 'reload', undefined, { onProgress });
  say(`reloaded ${workers} ${workers === 1 ? 'worker' : 'workers'}`);
  return 0;
}

async function scale(workers, app, options) {
  const { ready } = await ask(await find(app, options), 'scale', { workers }, { onProgress });
  say(`${ready} of ${workers} ${workers === 1 ? 'worker' : 'workers'} ready`);
  return 0;
}

async function stop(app, { force = false, ...options }) {
  await ask(await find(app, options), 'stop', { force }, { onProgress });
  say('stopped');
  return 0;
}

/** @returns {Promise<number>} 0, or 1 where not all workers are ready */
async function status(app, options) {
  const named = app !== undefined || options.control !== undefined;
  const all = named ? [await ask(await find(app, options), 'status')] : (await supervisors()).map((one) => one.status);
  // Says that none runs.
  if (all.length === 0) await findSupervisor();
  if (options.json) process.stdout.write(`${JSON.stringify(named ? all[0] : all, null, 2)}\n`);
  else for (const one of all) process.stdout.write(table(one));
  return all.every(({ state, ready, workers }) => state === 'running' && ready >= workers) ? 0 : 1;
}

function table({ name, pid, state, ready, workers, spares, exec, restarts, crashes, reloads, list }) {
  const rows = [
    ['worker', 'pid', 'state', 'role', 'up', 'restarts'],
    ...list.map((one) => [
      one.slot,
      one.pid ?? '-',
      one.state,
      one.role,
      age(Date.now() - one.startedAt),
      one.restarts,
    ]),
  ].map((row) => row.map(String));
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const body = rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`.trimEnd());
  const spare = spares > 0 ? `, ${spares} spare` : '';
  const counts = `${restarts} restarts, ${crashes} crashes, ${reloads} reloads`;
  return `${name} (pid ${pid}): ${state}, ${ready} of ${workers} ready${spare}; ${counts}\n  ${exec}\n${body.join('\n')}\n`;
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
];

/** @returns {string} milliseconds in the largest unit that fits */
function age(milliseconds) {
  const [unit, size] = UNITS.find(([, one]) => milliseconds >= one) ?? ['s', 1000];
  return `${Math.floor(milliseconds / size)}${unit}`;
}

module.exports = { define };
