'use strict';
// CommonJS, ESM and the types offer the same names.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const rustcluster = require('rustcluster');

describe('the exports', () => {
  it('are the same for import and for require', async () => {
    const { default: whole, ...named } = await import('rustcluster');
    assert.equal(whole, rustcluster);
    assert.deepEqual(Object.keys(named).sort(), Object.keys(rustcluster).sort());
    for (const [name, value] of Object.entries(named)) assert.equal(value, rustcluster[name], name);
  });

  it('are all typed, and nothing else is', () => {
    const folder = path.join(__dirname, '../../js');
    const seen = new Set();
    const names = new Set();
    const visit = (file) => {
      if (seen.has(file)) return;
      seen.add(file);
      const text = fs.readFileSync(file, 'utf8');
      for (const [, name] of text.matchAll(/^export (?:declare )?(?:function|const|class) (\w+)/gm)) names.add(name);
      for (const [, target] of text.matchAll(/^export \* from '([^']+)'/gm)) {
        visit(path.join(path.dirname(file), target.replace(/\.js$/, '.d.ts')));
      }
    };
    visit(path.join(folder, 'index.d.ts'));
    assert.deepEqual([...names].sort(), Object.keys(rustcluster).sort());
  });
});
