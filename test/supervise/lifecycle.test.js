'use strict';
// The life of a worker goes one way.
const assert = require('node:assert/strict');
const { State, advance } = require('../../js/supervise/lifecycle.js');
const { StderrTail } = require('../../js/supervise/stderr-tail.js');

describe('the lifecycle', () => {
  const order = Object.values(State);

  it('takes every orderly step', () => {
    for (let i = 1; i < order.length; i += 1) {
      if (order[i] !== State.DRAINING) assert.equal(advance(order[i - 1], order[i]), order[i]);
    }
    assert.equal(advance(State.READY, State.DRAINING), State.DRAINING);
  });

  it('lets a process die in every state but once', () => {
    for (const state of order.slice(0, -1)) assert.equal(advance(state, State.DEAD), State.DEAD);
    assert.throws(() => advance(State.DEAD, State.DEAD), { code: 'ERR_INTERNAL' });
  });

  it('never goes back', () => {
    for (const [i, from] of order.entries()) {
      for (const to of order.slice(0, i + 1)) assert.throws(() => advance(from, to), { code: 'ERR_INTERNAL' });
    }
  });
});

describe('the last lines of stderr', () => {
  it('are the last ones, whole, whatever the pieces they came in', () => {
    const tail = new StderrTail();
    assert.equal(tail.lines(), '');
    for (const piece of ['one\ntw', 'o\nthr', 'ee\n']) tail.push(Buffer.from(piece));
    assert.equal(tail.lines(), 'one\ntwo\nthree');
    assert.equal(tail.lines(2), 'two\nthree');
  });

  it('take bounded memory', () => {
    const tail = new StderrTail();
    for (let i = 0; i < 1000; i += 1) tail.push(Buffer.alloc(1000, 'x'));
    tail.push(Buffer.from('\nthe end\n'));
    assert.equal(tail.lines(1), 'the end');
    assert.ok(tail.lines().length <= 8 * 1024);
  });
});
