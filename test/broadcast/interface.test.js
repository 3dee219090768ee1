'use strict';
// The Web interface, as Node documents its own: each behaviour is asserted of both where both have it.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const { inspect } = require('node:util');
const rustcluster = require('rustcluster');

const CLASSES = { rustcluster: rustcluster.BroadcastChannel, Node: globalThis.BroadcastChannel };

/** What is simply there to be read. */
const PLAIN = [
  ...['type', 'data', 'origin', 'lastEventId', 'source', 'ports', 'bubbles', 'cancelable', 'composed'],
  ...['defaultPrevented', 'returnValue', 'isTrusted', 'cancelBubble', 'eventPhase'],
];

function enumerated(object) {
  const names = [];
  for (const name in object) names.push(name);
  return names;
}

for (const [whose, BroadcastChannel] of Object.entries(CLASSES)) {
  describe(`BroadcastChannel of ${whose}`, () => {
    let open = [];
    const channel = (name = 'interface') => {
      const one = new BroadcastChannel(name);
      open.push(one);
      return one;
    };
    afterEach(() => {
      for (const one of open) one.close();
      open = [];
    });

    it('brings what one object posts to all others of its name, in order, and not to itself', async () => {
      const [sender, one, two, other] = [channel(), channel(), channel(), channel('another')];
      const got = { sender: [], one: [], two: [], other: [] };
      for (const [name, object] of Object.entries({ sender, one, two, other })) {
        object.onmessage = ({ data }) => got[name].push(data);
      }
      for (let i = 0; i < 10; i++) sender.postMessage(i);
      // What comes after all these, to each: so they have had whatever else there was for them.
      const last = channel();
      last.postMessage('last');
      channel('another').postMessage('last');
      while (!Object.values(got).every((list) => list.includes('last'))) await new Promise(setImmediate);
      const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 'last'];
      assert.deepEqual(got, { sender: ['last'], one: all, two: all, other: ['last'] });
    });

    it('has a name, a tag and event handlers that are null until set', () => {
      const one = channel(42);
      assert.equal(one.name, '42');
      assert.ok(one instanceof EventTarget);
      assert.throws(() => new BroadcastChannel(), TypeError);
      assert.throws(() => new BroadcastChannel(Symbol('name')), TypeError);
      assert.match(inspect(one), /^BroadcastChannel \{/);
      assert.match(inspect(one), /name: '42'/);
      assert.match(inspect(one), /active: true/);
    });

    it('emits message events', async () => {
      const [sender, receiver] = [channel(), channel()];
      const arrival = once(receiver, 'message');
      sender.postMessage({ text: 'hello' });
      const [event] = await arrival;
      assert.equal(event.type, 'message');
      assert.deepEqual(event.data, { text: 'hello' });
      assert.ok(event instanceof Event);
      assert.equal(event.target, receiver);
    });

    it('gives its handler an event that is whole, then and later', async () => {
      const [sender, receiver] = [channel(), channel()];
      const look = (event) => ({
        ...Object.fromEntries(PLAIN.map((name) => [name, event[name]])),
        isFor: [event.target, event.srcElement, event.currentTarget].map((one) => one && one === receiver),
        path: event.composedPath(),
        tag: String(event),
        isShown: inspect(event).startsWith("MessageEvent {\n  type: 'message',"),
        isMessageEvent: event instanceof Event && event instanceof MessageEvent,
      });
      const during = {
        ...{ type: 'message', data: 1, origin: '', lastEventId: '', source: null, ports: [] },
        ...{ bubbles: false, cancelable: false, composed: false, defaultPrevented: false, returnValue: true },
        ...{ isTrusted: false, cancelBubble: false, eventPhase: Event.AT_TARGET, isFor: [true, true, true] },
        ...{ path: [receiver], tag: String(new MessageEvent('message')), isShown: true, isMessageEvent: true },
      };
      const after = { ...during, eventPhase: Event.NONE, isFor: [true, true, null], path: [] };
      const began = performance.now();
      const event = await new Promise((resolve, reject) => {
        receiver.onmessage = (one) => {
          try {
            assert.equal(one.data, 1);
            assert.deepEqual(look(one), during);
            assert.throws(() => receiver.dispatchEvent(one), { code: 'ERR_EVENT_RECURSION' });
            one.preventDefault();
            assert.equal(one.defaultPrevented, false);
            for (const name of PLAIN) assert.ok(enumerated(one).includes(name), name);
            resolve(one);
          } catch (error) {
            reject(error);
          }
        };
        sender.postMessage(1);
      });
      const isPast = event.timeStamp > began && event.timeStamp <= performance.now();
      assert.ok(isPast, `${began}, ${event.timeStamp}, ${performance.now()}`);
      assert.deepEqual(look(event), after);
      // One that nobody has looked at before, dispatched by hand.
      const unseen = new Promise((resolve) => {
        receiver.onmessage = resolve;
      });
      sender.postMessage(1);
      const again = await unseen;
      const other = new EventTarget();
      const got = [];
      other.addEventListener('message', (one) => {
        got.push(one === again, one.target === other, one.eventPhase, one.composedPath().length, one.data);
        one.stopImmediatePropagation();
      });
      other.addEventListener('message', () => got.push('not stopped'));
      other.dispatchEvent(again);
      assert.deepEqual(got, [true, true, Event.AT_TARGET, 1, 1]);
      assert.equal(again.currentTarget, null);
      again.cancelBubble = true;
      assert.equal(again.cancelBubble, true);
    });

    it('takes listeners, once and more, and lets go of them', async () => {
      const [sender, receiver] = [channel(), channel()];
      const got = [];
      const gone = () => got.push('gone');
      receiver.addEventListener('message', gone);
      receiver.removeEventListener('message', gone);
      receiver.addEventListener('message', ({ data }) => got.push(`once ${data}`), { once: true });
      receiver.addEventListener('message', { handleEvent: ({ data }) => got.push(`object ${data}`) });
      sender.postMessage(1);
      sender.postMessage(2);
      while (got.length < 3) await new Promise(setImmediate);
      assert.deepEqual(got, ['once 1', 'object 1', 'object 2']);
    });

    it("takes listeners by EventTarget's own method, beside a handler", async () => {
      const [sender, receiver] = [channel(), channel()];
      const got = [];
      receiver.onmessage = () => got.push('handler');
      EventTarget.prototype.addEventListener.call(receiver, 'message', () => got.push('listener'));
      sender.postMessage(1);
      while (got.length < 2) await new Promise(setImmediate);
      assert.deepEqual(got, ['handler', 'listener']);
    });

    it('brings what was posted between its making and its listener, in one turn', async () => {
      const [sender, receiver] = [channel(), channel()];
      const got = [];
      sender.postMessage('before the listener');
      receiver.onmessage = ({ data }) => got.push(data);
      sender.postMessage('after');
      while (got.length < 2) await new Promise(setImmediate);
      assert.deepEqual(got, ['before the listener', 'after']);
    });

    it('brings nothing that was posted before it was made, or turns before it had a listener', async () => {
      const sender = channel();
      const got = [];
      sender.postMessage('before');
      const [late, idle] = [channel(), channel()];
      late.onmessage = ({ data }) => got.push(`late ${data}`);
      sender.postMessage('between');
      while (got.length < 1) await new Promise(setImmediate);
      idle.onmessage = ({ data }) => got.push(`idle ${data}`);
      sender.postMessage('after');
      while (got.length < 3) await new Promise(setImmediate);
      assert.deepEqual(got.sort(), ['idle after', 'late after', 'late between']);
    });

    it('brings nothing to an object that a handler of the message has made', async () => {
      const [sender, receiver] = [channel(), channel()];
      let calls = 0;
      const receive = () => {
        // Bounded, for the case that it does not hold.
        if (++calls < 10) channel().onmessage = receive;
      };
      receiver.onmessage = receive;
      const [witness, end] = [channel('witness'), channel('witness')];
      const arrival = once(witness, 'message');
      sender.postMessage(1);
      end.postMessage('end');
      await arrival;
      assert.equal(calls, 1);
    });

    it("throws what a handler's promise is rejected with", async () => {
      const listeners = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      const thrown = [];
      process.on('uncaughtException', (error, origin) => thrown.push(`${error.message}: ${origin}`));
      try {
        const [sender, handler, listener] = [channel(), channel(), channel()];
        handler.onmessage = async () => {
          throw new Error('of a handler');
        };
        listener.addEventListener('message', () => Promise.reject(new Error('of a listener')));
        listener.onmessage = async () => {
          throw new Error('of a handler beside it');
        };
        sender.postMessage(1);
        while (thrown.length < 3) await new Promise(setImmediate);
        assert.deepEqual(thrown.sort(), [
          'of a handler beside it: uncaughtException',
          'of a handler: uncaughtException',
          'of a listener: uncaughtException',
        ]);
      } finally {
        process.removeAllListeners('uncaughtException');
        for (const one of listeners) process.on('uncaughtException', one);
      }
    });

    it('shows all that a message event has', async () => {
      const [sender, receiver] = [channel(), channel()];
      const arrival = once(receiver, 'message');
      sender.postMessage(1);
      const [event] = await arrival;
      const names = [];
      for (const name in event) names.push(name);
      const shown = ['data', 'origin', 'lastEventId', 'source', 'ports', 'target', 'currentTarget', 'eventPhase'];
      assert.deepEqual(
        shown.filter((name) => !names.includes(name)),
        [],
      );
    });

    it('refuses what cannot be cloned', () => {
      const one = channel();
      for (const value of [() => {}, Symbol('s'), { deep: [() => {}] }, new WeakMap(), Promise.resolve()]) {
        assert.throws(
          () => one.postMessage(value),
          (error) => error instanceof DOMException && error.name === 'DataCloneError' && error.code === 25,
          inspect(value),
        );
      }
      assert.throws(() => one.postMessage(), TypeError);
    });

    it('lets the error of a getter through', () => {
      const error = new RangeError('from a getter');
      const value = {
        get broken() {
          throw error;
        },
      };
      assert.throws(() => channel().postMessage(value), error);
    });

    it('posts nothing once closed, and gets nothing', async () => {
      const [sender, receiver, other] = [channel(), channel(), channel()];
      receiver.onmessage = () => assert.fail('it is closed');
      receiver.close();
      receiver.close();
      assert.throws(
        () => receiver.postMessage(1),
        (error) => error.name === 'InvalidStateError' && error.message === 'BroadcastChannel is closed.',
      );
      const arrival = once(other, 'message');
      sender.postMessage(1);
      await arrival;
    });

    it('can be referenced and not, and gives itself', () => {
      const one = channel();
      assert.equal(one.unref(), one);
      assert.equal(one.ref(), one);
    });
  });
}
