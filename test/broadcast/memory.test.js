'use strict';
// What a reader keeps of messages that it has let go of: V8 by itself lets 32 MiB of arrays gather, 64 from Node 24 on.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const { BroadcastChannel } = require('rustcluster');

const MIB = 2 ** 20;
const MESSAGES = {
  'short ones': { bytes: Buffer.alloc(16 * 1024, 'x'), count: 6000 },
  'long ones': { bytes: Buffer.alloc(256 * 1024, 'x'), count: 400 },
  'ones in an object': { bytes: new Map([['bytes', new Uint8Array(16 * 1024)]]), count: 6000 },
};

describe('memory of messages that were read', () => {
  for (const [name, { bytes, count }] of Object.entries(MESSAGES)) {
    it(`does not gather: ${name}`, async () => {
      const [sender, reader] = [new BroadcastChannel('memory'), new BroadcastChannel('memory')];
      const before = process.memoryUsage().arrayBuffers;
      let [most, left] = [0, count];
      reader.onmessage = () => {
        most = Math.max(most, process.memoryUsage().arrayBuffers - before);
        if (--left === 0) reader.dispatchEvent(new Event('end'));
      };
      const end = once(reader, 'end');
      for (let i = 0; i < count; i++) await sender.publish(bytes);
      await end;
      sender.close();
      reader.close();
      assert.ok(most < 24 * MIB, `${Math.round(most / MIB)} MiB`);
    });
  }

  it('leaves the flag for collecting as it was', () => {
    assert.equal(require('node:vm').runInNewContext('typeof gc'), 'undefined');
  });
});
