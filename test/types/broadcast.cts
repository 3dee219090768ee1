// What must compile of the broadcast, and, after @ts-expect-error, what must not.
import { BroadcastChannel, type BroadcastError } from 'rustcluster';

import cluster = require('rustcluster/cluster');

const channel = new BroadcastChannel('news', { maxLag: Number.POSITIVE_INFINITY });
channel.onmessage = ({ data }) => console.log(data);
channel.onmessageerror = ({ data }) => console.log((data as BroadcastError).missed);
channel.addEventListener('message', (event: MessageEvent) => console.log(event.data), { once: true });
channel.postMessage({ any: 'thing' });
const done: Promise<void> = channel.publish(new Uint8Array(4), { timeout: 10, signal: AbortSignal.timeout(10) });
const same: BroadcastChannel = channel.ref().unref();
channel.maxLag = 5;
cluster.broadcast({ to: 'all' });
// @ts-expect-error a name is required
new BroadcastChannel();
// @ts-expect-error the name does not change
channel.name = 'other';
// @ts-expect-error no such option
new BroadcastChannel('news', { lag: 1 });
void [done, same.name.length];
