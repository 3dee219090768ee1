'use strict';
// The error table, its documentation, its types and the Rust enum name the same codes.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { codes, table } = require('../../js/errors.js');

const read = (file) => fs.readFileSync(path.join(__dirname, '../..', file), 'utf8');
const found = (text, pattern) => [...text.matchAll(pattern)].map(([, code]) => code).sort();

describe('the error table', () => {
  const want = [...codes].sort();

  it('is documented, code by code, with the right class', () => {
    const rows = [...read('docs/errors.md').matchAll(/^\| `([A-Z_]+)` +\| (\w+) +\|/gm)];
    assert.deepEqual(rows.map(([, code]) => code).sort(), want);
    for (const [, code, name] of rows) assert.equal(name, table[code][0].name, code);
  });

  it('is typed', () => {
    assert.deepEqual(found(read('js/errors.d.ts'), /'([A-Z_]+)'/g), want);
  });

  it('knows every code Rust can give', () => {
    const given = found(read('src/error.rs'), /"((?:ERR_|ABORT_)[A-Z_]+)"/g);
    assert.ok(given.length > 5);
    assert.deepEqual(
      given.filter((code) => !codes.includes(code)),
      [],
    );
  });

  it('holds no code that nothing gives', () => {
    const sources = [...walk('js', '.js'), ...walk('src', '.rs')].filter((file) => !file.endsWith('js/errors.js'));
    const text = `${sources.map(read).join('\n')}${read('js/errors.js').replace(/^ {2}[A-Z_]+: \[.*$/gm, '')}`;
    assert.deepEqual(
      codes.filter((code) => !text.includes(`'${code}'`) && !text.includes(`"${code}"`)),
      [],
    );
  });
});

function walk(folder, extension) {
  return fs
    .readdirSync(path.join(__dirname, '../..', folder), { recursive: true })
    .map((file) => path.join(folder, file))
    .filter((file) => file.endsWith(extension));
}
