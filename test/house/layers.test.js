'use strict';
// Who may know whom (ARCHITECTURE.md, "Floors"): no arrow runs up, none in a circle, and one word's folder imports no
// other's, but for supervise, which stands on dispatch.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '../..');
const WORDS = ['supervise', 'dispatch', 'broadcast', 'store', 'kernels', 'admin'];
const GROUND = ['native', 'errors', 'options', 'triple', 'inherit', 'plain', 'clonable', 'threads'];

function sources(folder, extension) {
  return fs
    .readdirSync(path.join(root, folder), { recursive: true })
    .filter((file) => file.endsWith(extension) && !file.endsWith('.d.ts'))
    .map((file) => ({ file, text: fs.readFileSync(path.join(root, folder, file), 'utf8') }));
}

/** The part of a file's path that the rules speak of: its top folder, or its own name. */
const part = (file) => file.split(path.sep)[0].replace(/\.(js|mjs|rs)$/, '');

describe('the floors of js/', () => {
  const allowed = (from, to) => {
    if (from === to || GROUND.includes(to)) return !GROUND.includes(from) || from === 'native' || from === 'options';
    if (from === 'supervise') return to === 'dispatch';
    if (from === 'admin') return WORDS.includes(to);
    // Entry points: whatever is no word and no ground.
    return !WORDS.includes(from) && !GROUND.includes(from);
  };

  for (const { file, text } of sources('js', '.js')) {
    it(`${file} imports downwards only`, () => {
      for (const [, target] of text.matchAll(/(?:require\(|from )'(\.[^']+)'/g)) {
        const to = part(path.relative('js', path.join('js', path.dirname(file), target)));
        if (to !== '..' && to !== '') assert.ok(allowed(part(file), to), `${file} imports ${target}`);
      }
    });
  }

  it('loads the addon in native.js alone', () => {
    const loaders = sources('js', '.js').filter(({ text }) => /\.node[`'"]/.test(text));
    assert.deepEqual(
      loaders.map(({ file }) => file),
      ['native.js'],
    );
  });
});

describe('the floors of src/', () => {
  const FLOOR = { binding: 4, lib: 4, shared: 2, sys: 1, error: 0 };
  const floor = (name) => FLOOR[name] ?? 3;

  for (const { file, text } of sources('src', '.rs')) {
    it(`${file} uses what lies below`, () => {
      const from = part(file);
      const code = text.replace(/^\s*\/\/.*$/gm, '');
      for (const [, to] of code.matchAll(/\bcrate::([a-z_]+)/g)) {
        const cousin = floor(from) === 3 && floor(to) === 3 && to !== from;
        const permitted = floor(to) < floor(from) || to === from || (cousin && ALLOWED.has(`${from} ${to}`));
        assert.ok(permitted, `${file} uses crate::${to}`);
      }
    });

    it(`${file} names napi in binding/ alone`, () => {
      // The places where using Node-API is unsafe lie with all that is unsafe.
      if (part(file) !== 'binding' && !UNSAFE_NODE_API.includes(file))
        assert.doesNotMatch(text.replace(/^\s*\/\/.*$/gm, ''), /\bnapi(_derive)?::/);
    });
  }

  const UNSAFE_NODE_API = ['javascript.rs', 'lent.rs'].map((name) => path.join('sys', name));
  // supervise stands on dispatch; the pool's default size is the supervisor's count of cores.
  const ALLOWED = new Set(['supervise dispatch']);
});
