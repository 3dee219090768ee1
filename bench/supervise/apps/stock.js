'use strict';
// A rolling reload as node:cluster's documentation leads one to write it: a new worker listens, then the old one is told
// to disconnect; what has not left after five seconds is killed. 'reload' on stdin starts one.
const cluster = require('node:cluster');
const { once } = require('node:events');
const readline = require('node:readline');

async function begin() {
  const worker = cluster.fork();
  await once(worker, 'listening');
  return worker;
}

async function main() {
  cluster.setupPrimary({ exec: process.argv[2] });
  let workers = await Promise.all(Array.from({ length: Number(process.argv[3]) }, begin));
  console.log('ready');
  for await (const _ of readline.createInterface({ input: process.stdin })) {
    const next = [];
    for (const old of workers) {
      next.push(await begin());
      const left = once(old, 'exit');
      old.disconnect();
      const timer = setTimeout(() => old.process.kill('SIGKILL'), 5000);
      await left;
      clearTimeout(timer);
    }
    workers = next;
    console.log('reloaded');
  }
  process.exit();
}

main();
