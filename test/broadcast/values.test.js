'use strict';
// What arrives is what structured clone makes of what was posted, whichever way the bytes take.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const { BroadcastChannel } = require('rustcluster');

const shared = { me: 'twice' };
const circular = { name: 'circular' };
circular.self = circular;
const withHole = [1, 2, 3];
delete withHole[1];
const match = 'abc'.match(/b/);
class Point {
  x = 1;
  y = [2];
}
const withAccessor = {
  get computed() {
    return 7;
  },
};

const VALUES = {
  'a string': 'hello',
  'an empty string': '',
  'accents and symbols': 'naïve — 日本語 🎉',
  'lone surrogates': 'a\ud800b\udc00',
  'a long string': 'long '.repeat(50_000),
  'a long string beyond Latin': '日本 '.repeat(50_000),
  undefined: undefined,
  null: null,
  true: true,
  'a number': 1.5,
  NaN: Number.NaN,
  Infinity: Number.NEGATIVE_INFINITY,
  '-0': -0,
  'a nested -0': { zero: -0 },
  'a BigInt': 12345678901234567890n,
  'a plain object': { a: 1, b: 'two', c: [3, { d: null }], e: true },
  'an object with lone surrogates': { '\ud800': '\udc00' },
  'an object with undefined': { a: undefined, b: 1 },
  'an object without prototype': Object.assign(Object.create(null), { a: 1 }),
  'an object with __proto__': JSON.parse('{"__proto__": {"polluted": true}}'),
  'an object with a toString of its own': { toString: 'mine', valueOf: 1 },
  'an accessor': withAccessor,
  'integer keys': { 2: 'b', 1: 'a', c: 'd' },
  'an array': [1, 'two', null, [3]],
  'an array with holes': withHole,
  'an array with more than elements': match,
  'a long array': Array.from({ length: 5000 }, (_, i) => i),
  'many objects': Array.from({ length: 60 }, (_, i) => ({ i, text: `number ${i}` })),
  'one object twice': [shared, shared],
  'a circle': circular,
  'long texts inside': {
    id: 1,
    text: 'x'.repeat(1000),
    deep: { list: ['short', 'y"\\\n'.repeat(100), 2], '': 'z'.repeat(200) },
  },
  'long texts beyond ASCII inside': { text: 'é'.repeat(1000), more: '日本'.repeat(5000), plain: 'x'.repeat(500) },
  'a long text with one accent at its end': { text: `${'x'.repeat(500)}é`, emoji: `${'x'.repeat(500)}🎉` },
  'a long text under a name beyond ASCII': { 日本: 'x'.repeat(500), é: ['y'.repeat(500)], [`"${'k'.repeat(300)}`]: 1 },
  'a long list of long texts': Array.from({ length: 40 }, (_, i) => `${i}`.repeat(300)),
  'more text than the scratch holds': { text: 'x'.repeat(300_000), list: Array(60).fill('y'.repeat(10_000)) },
  'a long text under __proto__': JSON.parse(`{"__proto__": "${'x'.repeat(500)}"}`),
  numbers: [0, 9, 10, -1, 1e21, 1e-7, 0.1, 123456789012345680000, 2 ** 53, -(2 ** 31)],
  'what JSON escapes': { 'a"b': 'c\\d', '\n': '\u0000\u007f\u2028', e: `${'x'.repeat(127)}"` },
  'a deep object': Array.from({ length: 40 }).reduce((inner) => ({ inner }), 1),
  'a Date': new Date(0),
  'a RegExp': /x+/giu,
  'a Map': new Map([[{ a: 1 }, new Set([1, 'b'])]]),
  'an Error': new RangeError('out'),
  'a class instance': new Point(),
  'boxed primitives': [new String('s'), new Number(1), new Boolean(false)],
  'a Buffer': Buffer.from('bytes'),
  'an empty Buffer': Buffer.alloc(0),
  'a large Buffer': Buffer.alloc(1_000_000, 'x'),
  'a part of a buffer': new Uint8Array(Uint8Array.from([0, 1, 2, 3, 4, 5]).buffer, 1, 3).slice(),
  'an ArrayBuffer': Uint8Array.from([1, 2, 3]).buffer,
  'a DataView': new DataView(Uint8Array.from([1, 2, 3]).buffer),
  doubles: Float64Array.from([1.5, -2.5]),
  'big integers': BigInt64Array.from([-1n, 2n]),
  'clamped bytes': Uint8ClampedArray.from([1, 300]),
  'arrays inside': { bytes: Uint8Array.from([1, 2]), buffer: Uint16Array.from([3]).buffer },
};

describe('a value that is broadcast', () => {
  let sender;
  let receiver;
  before(() => {
    [sender, receiver] = [new BroadcastChannel('values'), new BroadcastChannel('values')];
  });
  after(() => {
    sender.close();
    receiver.close();
  });

  const send = async (value) => {
    const arrival = once(receiver, 'message');
    await sender.publish(value);
    const [{ data }] = await arrival;
    return data;
  };

  for (const [name, value] of Object.entries(VALUES)) {
    it(`arrives as structured clone has it: ${name}`, async () => {
      const [data, clone] = [await send(value), structuredClone(value)];
      assert.deepEqual(data, clone);
      const prototype = (one) => Object(one) === one && Object.getPrototypeOf(one);
      assert.equal(prototype(data), prototype(clone));
    });
  }

  it('keeps what is one object one object', async () => {
    const [one, two] = await send([shared, shared]);
    assert.equal(one, two);
    const back = await send(circular);
    assert.equal(back.self, back);
  });

  it('keeps views of one buffer on one buffer', async () => {
    const { buffer } = new Uint8Array(16);
    const sent = { all: buffer, head: new Uint8Array(buffer, 0, 4), tail: new DataView(buffer, 8) };
    const { all, head, tail } = await send(sent);
    assert.equal(head.buffer, all);
    assert.equal(tail.buffer, all);
    head[3] = 7;
    assert.deepEqual([...new Uint8Array(all, 0, 4)], [0, 0, 0, 7]);
    assert.deepEqual([head.length, tail.byteOffset, all.byteLength], [4, 8, 16]);
  });

  it("gives a Buffer inside an object as Node's own does: as a Uint8Array", async () => {
    const { bytes } = await send({ bytes: Buffer.from('bytes') });
    assert.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype);
    assert.equal(Buffer.from(bytes).toString(), 'bytes');
  });

  it('arrives as it is at the edge of what goes without a buffer', async () => {
    for (const length of [1, 1022, 1023, 1024, 1025, 4097]) {
      for (const first of ['a', 'é', '日', '\ud800']) {
        const text = first.padEnd(length, 'x');
        assert.equal(await send(text), text);
        assert.deepEqual(await send({ text }), { text });
        const arrival = once(receiver, 'message');
        sender.postMessage([text]);
        assert.deepEqual((await arrival)[0].data, [text]);
      }
    }
  });

  it('is whole although a getter of it sends something, too', async () => {
    const got = [];
    const done = new Promise((resolve) => {
      receiver.onmessage = ({ data }) => got.push(data) === 3 && resolve();
    });
    sender.postMessage({
      before: 'b'.repeat(500),
      get between() {
        sender.postMessage('a text');
        sender.postMessage({ some: 'thing', long: 'l'.repeat(500) });
        return 'from a getter';
      },
      after: 'a'.repeat(500),
    });
    await done;
    receiver.onmessage = null;
    assert.deepEqual(got, [
      'a text',
      { some: 'thing', long: 'l'.repeat(500) },
      { before: 'b'.repeat(500), between: 'from a getter', after: 'a'.repeat(500) },
    ]);
  });

  it('sends nothing and harms nothing when a getter of it throws', async () => {
    const thrower = {
      long: 'l'.repeat(500),
      get wrong() {
        throw new RangeError('mine');
      },
    };
    assert.throws(() => sender.postMessage(thrower), { name: 'RangeError', message: 'mine' });
    assert.deepEqual(await send({ fine: true }), { fine: true });
  });

  it('leaves out what is not its own', async () => {
    Object.prototype.inherited = 1;
    try {
      assert.deepEqual(Object.keys(await send({ own: 1 })), ['own']);
    } finally {
      delete Object.prototype.inherited;
    }
  });

  it('is a copy for each object', async () => {
    const other = new BroadcastChannel('values');
    const [here, there] = [once(receiver, 'message'), once(other, 'message')];
    const value = { list: [1], bytes: Uint8Array.of(1) };
    sender.postMessage(value);
    value.list.push(2);
    const [[{ data: one }], [{ data: two }]] = await Promise.all([here, there]);
    assert.deepEqual(one, { list: [1], bytes: Uint8Array.of(1) });
    assert.deepEqual(two, one);
    assert.notEqual(one, two);
    other.close();
  });

  it('owns its memory', async () => {
    const first = await send(Buffer.from('first'));
    const nested = await send({ bytes: Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]) });
    for (let i = 0; i < 100; i++) await send(Buffer.alloc(100, 'z'));
    assert.equal(Buffer.from(first).toString(), 'first');
    assert.deepEqual([...nested.bytes], [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.equal(first.buffer.byteLength, 5);
  });

  it('keeps a buffer that can be resized so', async () => {
    const make = () => new ArrayBuffer(8, { maxByteLength: 16 });
    for (const sent of [
      make(),
      new Uint8Array(make()),
      new Uint16Array(make(), 4),
      new DataView(make()),
      { in: make() },
    ]) {
      const [data, clone] = [await send(sent), structuredClone(sent)].map((one) => one.in ?? one.buffer ?? one);
      assert.deepEqual([data.resizable, data.maxByteLength], [clone.resizable, clone.maxByteLength]);
    }
  });

  it('is refused when it cannot leave its process', () => {
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const detached = new ArrayBuffer(8);
    structuredClone(detached, { transfer: [detached] });
    const refused = {
      'shared memory': new SharedArrayBuffer(8),
      'a view of shared memory': new Uint8Array(new SharedArrayBuffer(8)),
      'a detached buffer': detached,
      'a Blob': new Blob(['x']),
      'a Blob inside': { blob: new Blob(['x']) },
      'a proxy': new Proxy({ a: 1 }, {}),
      'a proxy that was revoked': revoked.proxy,
      'a proxy inside': [{ deep: new Proxy([1], {}) }, new Date()],
      'a port': new MessageChannel().port1,
      'a module of WebAssembly': new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)),
      'a Blob in a Map': new Map([['key', new Set([new Blob(['x'])])]]),
    };
    for (const [name, value] of Object.entries(refused)) {
      assert.throws(() => sender.postMessage(value), { name: 'DataCloneError' }, name);
    }
    refused['a port'].close();
  });

  it("is refused when structured clone refuses it, as some of Node's classes from Node 22 on", () => {
    for (const value of [
      new URL('http://localhost/'),
      new Headers(),
      new FormData(),
      { in: [new URLSearchParams()] },
    ]) {
      let refusal;
      try {
        structuredClone(value);
      } catch (error) {
        refusal = { name: error.name };
      }
      if (refusal === undefined) assert.doesNotThrow(() => sender.postMessage(value));
      else assert.throws(() => sender.postMessage(value), refusal);
    }
  });

  it('survives a patched toJSON', async () => {
    Object.prototype.toJSON = () => 'patched';
    try {
      assert.deepEqual(await send({ a: 1 }), { a: 1 });
    } finally {
      delete Object.prototype.toJSON;
    }
  });
});
