'use strict';
// What a BroadcastChannel does beyond the Web interface, and how it stands what goes wrong.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const { Worker } = require('node:worker_threads');
const { BroadcastChannel } = require('rustcluster');

describe('a BroadcastChannel', () => {
  it("has the members of Node's own", () => {
    const names = (one) => Object.getOwnPropertyNames(one.prototype).filter((name) => !name.startsWith('_'));
    const ours = new Set(names(BroadcastChannel));
    assert.deepEqual(
      names(globalThis.BroadcastChannel).filter((name) => !ours.has(name)),
      [],
    );
  });

  it('refuses to work for another object, as by a method that was taken off its own', async () => {
    const channel = new BroadcastChannel('this');
    for (const name of ['postMessage', 'close', 'ref', 'unref']) {
      const { [name]: method } = channel;
      for (const other of [undefined, 1, {}]) {
        assert.throws(() => Reflect.apply(method, other, [1]), { name: 'TypeError', code: 'ERR_INVALID_THIS' });
      }
      assert.equal(method.length, globalThis.BroadcastChannel.prototype[name].length);
    }
    await assert.rejects(Reflect.apply(channel.publish, undefined, [1]), { code: 'ERR_INVALID_THIS' });
    channel.close();
  });

  it('says of a message that the ring can never hold what to do with it', () => {
    const channel = new BroadcastChannel('too large');
    const error = { code: 'ERR_BROADCAST_FULL', message: /larger than all of it; publish\(\) sends such in pieces/ };
    assert.throws(() => channel.postMessage(Buffer.alloc(2 ** 24)), error);
    channel.close();
  });

  it('goes on after a listener has thrown', async () => {
    const [sender, receiver] = [new BroadcastChannel('throws'), new BroadcastChannel('throws')];
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const thrown = [];
    process.on('uncaughtException', (error) => thrown.push(error.message));
    try {
      const got = [];
      receiver.onmessage = ({ data }) => {
        got.push(data);
        throw new Error(`about ${data}`);
      };
      for (let i = 0; i < 3; i++) sender.postMessage(i);
      while (thrown.length < 3) await new Promise(setImmediate);
      assert.deepEqual(got, [0, 1, 2]);
      assert.deepEqual(thrown, ['about 0', 'about 1', 'about 2']);
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of listeners) process.on('uncaughtException', listener);
      sender.close();
      receiver.close();
    }
  });

  it("tells by 'messageerror' of what cannot be read, and brings what came beside it", async () => {
    const native = require('../../js/native.js');
    const receiver = new BroadcastChannel('corrupt');
    const got = [];
    receiver.onmessage = ({ data }) => got.push(data);
    receiver.onmessageerror = ({ data }) => got.push(data.code);
    const [scratch, words, batch] = [8, 32, 8].map((bytes) => Buffer.alloc(bytes));
    const part = native.Broadcast.open(undefined, 2 ** 24, scratch, words, batch, () => {});
    const [id, JSON_ASCII] = [part.channel('corrupt'), 3];
    const send = (text) => {
      assert.equal(part.publish(id, 1, JSON_ASCII, Buffer.from(text), 0), 0);
    };
    for (const text of ['1', '{"n":', '2', '3,4', '5]', '[6']) send(text);
    while (got.length < 6) await new Promise(setImmediate);
    const code = 'ERR_BROADCAST_CORRUPT';
    assert.deepEqual(got.splice(0), [1, code, 2, code, code, code]);
    // One by one they come another way.
    const alone = [
      ['{"n":', code],
      ['7', 7],
    ];
    for (const [text, expected] of alone) {
      send(text);
      while (got.length < 1) await new Promise(setImmediate);
      assert.deepEqual(got.splice(0), [expected]);
    }
    receiver.close();
  });

  it('stops at once when a message closes it', async () => {
    const [sender, receiver, witness] = [1, 2, 3].map(() => new BroadcastChannel('closes'));
    const got = [];
    receiver.onmessage = ({ data }) => {
      got.push(data);
      receiver.close();
    };
    let seen = 0;
    witness.onmessage = () => seen++;
    for (let i = 0; i < 5; i++) sender.postMessage(i);
    while (seen < 5) await new Promise(setImmediate);
    assert.deepEqual(got, [0]);
    sender.close();
    witness.close();
  });

  it('brings many at once whole, in order and to whoever listens by then', async () => {
    const [sender, receiver, late] = [1, 2, 3].map(() => new BroadcastChannel('many'));
    const got = [];
    const lateGot = [];
    const COUNT = 300;
    const values = Array.from({ length: COUNT }, (_, n) => [{ n, text: `"],[${n}` }, n, `text ${n}`, [n, null]][n % 4]);
    receiver.onmessage = ({ data }) => {
      got.push(data);
      // A second object, amid what has come already: each gets a copy of its own from here on.
      if (got.length === 50) late.onmessage = (event) => lateGot.push(event.data);
      if (typeof data === 'object' && !Array.isArray(data)) data.seen = true;
    };
    for (const value of values) sender.postMessage(value);
    while (got.length < COUNT) await new Promise(setImmediate);
    for (const value of got) if (value.seen) delete value.seen;
    assert.deepEqual(got, values);
    assert.deepEqual(lateGot, values.slice(COUNT - lateGot.length));
    for (const one of [sender, receiver, late]) one.close();
  });

  it('keeps nothing of a name that no object has open any more', async function () {
    this.timeout(30_000);
    const { hub } = require('../../js/broadcast/hub.js');
    const keep = new BroadcastChannel('keep');
    const got = [];
    keep.onmessage = ({ data }) => got.push(data);
    const { channel: before } = hub().join('the next number');
    for (let n = 0; n < 300; n++) {
      const [sender, receiver] = [new BroadcastChannel(`user ${n}`), new BroadcastChannel(`user ${n}`)];
      const arrival = once(receiver, 'message');
      sender.postMessage(n);
      assert.equal((await arrival)[0].data, n);
      sender.close();
      receiver.close();
      await new Promise(setImmediate);
    }
    for (let n = 0; n < 300; n++) {
      assert.throws(() => new BroadcastChannel(`refused ${n}`, { maxLag: -1 }), { code: 'ERR_OUT_OF_RANGE' });
    }
    const { channel: after } = hub().join('another');
    assert.ok(after.id - before.id < 10, `${after.id - before.id} numbers were given out`);
    const sender = new BroadcastChannel('keep');
    sender.postMessage('still here');
    while (got.length < 1) await new Promise(setImmediate);
    assert.deepEqual(got, ['still here']);
    sender.close();
    keep.close();
  });

  it('closes one of many as fast as it has opened it', async function () {
    this.timeout(60_000);
    const began = performance.now();
    const all = Array.from({ length: 60_000 }, (_, n) => new BroadcastChannel(`one of many ${n}`));
    const opened = performance.now();
    for (const one of all) one.close();
    const [opening, closing] = [opened - began, performance.now() - opened];
    assert.ok(closing < 3 * opening, `${opening} ms to open, ${closing} ms to close`);
    await new Promise(setImmediate);
  });

  it('brings no message of a closed channel to one that is opened in its place', async () => {
    const [sender, receiver] = [new BroadcastChannel('old'), new BroadcastChannel('old')];
    const got = [];
    const end = new Promise((resolve) => {
      receiver.onmessage = ({ data }) => {
        got.push(data);
        sender.close();
        receiver.close();
        const other = new BroadcastChannel('new');
        other.onmessage = (event) => got.push(`to another: ${event.data}`);
        const again = new BroadcastChannel('old');
        setImmediate(() => setImmediate(() => [other, again].map((one) => one.close()), resolve()));
      };
    });
    for (let n = 0; n < 20; n++) sender.postMessage(n);
    await end;
    assert.deepEqual(got, [0]);
  });

  it('checks its options', () => {
    assert.throws(() => new BroadcastChannel('x', { maxLag: -1 }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => new BroadcastChannel('x', { maxLag: '1' }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => new BroadcastChannel('x', 5), { code: 'ERR_INVALID_ARG_TYPE' });
    const one = new BroadcastChannel('x', { maxLag: Number.POSITIVE_INFINITY });
    assert.equal(one.maxLag, Number.POSITIVE_INFINITY);
    one.maxLag = 5;
    assert.equal(one.maxLag, 5);
    one.close();
  });

  it('publishes', async () => {
    const [sender, receiver] = [new BroadcastChannel('publishes'), new BroadcastChannel('publishes')];
    const arrival = once(receiver, 'message');
    assert.equal(await sender.publish([1]), undefined);
    assert.deepEqual((await arrival)[0].data, [1]);
    await assert.rejects(
      sender.publish(() => {}),
      { name: 'DataCloneError' },
    );
    await sender.publish('patient', { timeout: Number.POSITIVE_INFINITY });
    await assert.rejects(sender.publish(1, { timeout: -1 }), { code: 'ERR_OUT_OF_RANGE' });
    await assert.rejects(sender.publish(1, { signal: AbortSignal.abort('why') }), { code: 'ABORT_ERR', cause: 'why' });
    sender.close();
    receiver.close();
    await assert.rejects(sender.publish(1), { name: 'InvalidStateError' });
  });

  it('carries messages of many sizes, larger than the ring, too', async function () {
    this.timeout(60_000);
    const [sender, receiver] = [new BroadcastChannel('sizes'), new BroadcastChannel('sizes')];
    for (const size of [0, 1, 7, 8, 9, 1000, 65_535, 65_536, 65_537, 300_000, 5_000_000, 40_000_000]) {
      const bytes = Buffer.alloc(size, `${size} `);
      const arrival = once(receiver, 'message');
      await sender.publish(bytes);
      const [{ data }] = await arrival;
      assert.equal(data.length, size);
      assert.equal(Buffer.compare(data, bytes), 0);
    }
    sender.close();
    receiver.close();
  });

  it('refuses what is larger than any message may be', async () => {
    const [sender, receiver] = [new BroadcastChannel('too large'), new BroadcastChannel('too large')];
    const got = [];
    receiver.onmessage = ({ data }) => got.push(data);
    // Zeros that nobody touches take no memory. Of 4 GiB, which Node 20 allows, the length would be 0 in 32 bits.
    for (const length of [2 ** 30 + 1, 2 ** 32]) {
      const bytes = new Uint8Array(length);
      assert.throws(() => sender.postMessage(bytes), { code: 'ERR_OUT_OF_RANGE' });
      await assert.rejects(sender.publish(bytes), { code: 'ERR_OUT_OF_RANGE' });
    }
    sender.postMessage('next');
    while (got.length < 1) await new Promise(setImmediate);
    assert.deepEqual(got, ['next']);
    sender.close();
    receiver.close();
  });

  it('reaches worker threads and back, and their end harms nobody', async () => {
    const one = new BroadcastChannel('threads');
    const text = `
      const { BroadcastChannel } = require('rustcluster');
      const { parentPort, threadId } = require('node:worker_threads');
      const channel = new BroadcastChannel('threads');
      channel.onmessage = ({ data }) => channel.postMessage({ data, threadId });
      parentPort.postMessage('ready');`;
    const threads = [1, 2, 3].map(() => new Worker(text, { eval: true }));
    await Promise.all(threads.map((thread) => once(thread, 'message')));
    const answers = new Set();
    one.onmessage = ({ data }) => {
      if (data.data === 'who?') answers.add(data.threadId);
    };
    one.postMessage('who?');
    while (answers.size < 3) await new Promise(setImmediate);
    await Promise.all(threads.map((thread) => thread.terminate()));
    one.postMessage('anybody?');
    one.close();
  });

  it('does not keep a process running that has unreferenced it', async () => {
    const script = `
      const { BroadcastChannel } = require('rustcluster');
      const channel = new BroadcastChannel('unref');
      channel.onmessage = () => {};
      channel.unref();`;
    const thread = new Worker(script, { eval: true });
    assert.deepEqual(await once(thread, 'exit'), [0]);
  });
});
