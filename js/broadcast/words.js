'use strict';
/** Words that JavaScript and Rust share, so that they need not cross by Node-API. */

const bytes = Buffer.allocUnsafeSlow(32).fill(0);
/** What `sendBroadcast` is told: 1, where the answer comes back, and channel, object, kind, start, length. */
const order = new Int32Array(bytes.buffer, 0, 6);
/** When the messages that are being handed over came, in nanoseconds of the monotonic clock. */
const arrival = new Float64Array(bytes.buffer, 24, 1);

/** What comes another way than through the ring has come now. */
function noteArrival() {
  arrival[0] = Number(process.hrtime.bigint());
}

module.exports = { arrival, bytes, noteArrival, order };
