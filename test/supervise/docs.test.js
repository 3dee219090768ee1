'use strict';
// docs/supervise.md and the types name the same options and events.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');

const read = (file) => fs.readFileSync(path.join(__dirname, '../..', file), 'utf8');
const types = read('js/supervise/types.d.ts');
const docs = read('docs/supervise.md');

/** The member names of an interface. */
function members(name) {
  const body = types.split(`interface ${name} {`)[1].split('\n}')[0];
  return [...body.matchAll(/^ {2}'?([a-zA-Z:]+)'?\??: /gm)].map(([, member]) => member).sort();
}

/** The names in the first column of the table below a heading. */
function table(heading) {
  const section = docs.split(`## ${heading}\n`)[1].split('\n## ')[0];
  const cells = [...section.matchAll(/^\| (`.*?) +\|/gm)].map(([, cell]) => cell.split(' |')[0]);
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name)).sort();
}

describe('docs/supervise.md', () => {
  it('has every option', () => assert.deepEqual(table('Options'), members('SupervisorOptions')));
  it('has every event', () => assert.deepEqual(table('Events'), members('SupervisorEvents')));
});
