// What must compile, and, after @ts-expect-error, what must not.
import KeyvStore = require('rustcluster/keyv');

import { openStore, type Store, type StoreOptions } from 'rustcluster';
import { RateLimiterStore } from 'rustcluster/rate-limiter';
import { ExpressStore, KoaStore } from 'rustcluster/session';

const options: StoreOptions = {
  path: new URL('file:///var/lib/app'),
  durable: true,
  maxSize: 1 << 30,
  eviction: 'lru',
};
const store: Store = openStore('app', options);
const text: string | undefined = store.getSync<string>('key');
const both: Promise<(number | undefined)[]> = store.getMany<number>(['a', 'b']);
const count: Promise<number> = store.getOrSet('users', { ttl: 10_000 }, async () => 7);
const plain: Promise<string> = store.getOrSet('name', () => 'x');
const sum: Promise<number> = store.incr('hits', 2, { ttl: 60_000 });
const swapped: Promise<boolean> = store.cas('key', undefined, { any: ['thing'] });
async function all(): Promise<void> {
  for await (const [key, value] of store.entries<number>({ prefix: 'a:', limit: 5 })) void [key.length, value + 1];
  for await (const key of store.keys()) void key.length;
  await store.setMany(new Map([['a', 1]]), { ttl: 5 });
  await store.setMany({ a: 1 });
  await store.setMany([['a', 1]] as const);
  await store.close();
  await store[Symbol.asyncDispose]();
}
// @ts-expect-error a value is unknown until its type is told
store.getSync('key')?.length;
// As ioredis declares it.
declare const redis: {
  callBuffer(command: string, callback?: (error: Error | null) => void): Promise<unknown>;
  callBuffer(command: string, ...args: (string | Buffer | number)[]): Promise<unknown>;
};
openStore('app', { redis });
// @ts-expect-error no client
openStore('app', { redis: 'redis://localhost' });
// @ts-expect-error no such option
openStore('app', { size: 5 });
// @ts-expect-error no such policy
openStore('app', { eviction: 'random' });
// @ts-expect-error milliseconds, not text
void store.set('key', 1, { ttl: '5' });
void [text, both, count, plain, sum, swapped, all, store.transport === 'ipc'];
const keyv = new KeyvStore({ store });
const sessions = [new ExpressStore({ store, prefix: 's:', ttl: 5 }), new KoaStore({ name: 'koa', maxSize: 1 << 20 })];
const limiter = new RateLimiterStore({ storeClient: store, points: 5, duration: 1 });
const kept = new RateLimiterStore({ name: 'limits', path: '/var/lib/app', points: 5, duration: 1 });
// @ts-expect-error milliseconds, not text
new ExpressStore({ ttl: '5' });
void [keyv.get<string>('key'), sessions, limiter.consume('key'), kept];
