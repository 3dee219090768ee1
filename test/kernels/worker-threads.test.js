'use strict';
// The package inside several worker_threads at once, which are ended in mid-job.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const { Worker } = require('node:worker_threads');
const { hash, kernels } = require('rustcluster');

const root = `${__dirname}/../..`;
const start = (body, workerData) =>
  new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
    const { flip, hash } = require(workerData.root);
    ${body}`,
    { eval: true, workerData: { root, ...workerData } },
  );

describe('worker_threads', () => {
  it('use the kernels side by side, each getting its own answers', async () => {
    const { createHash } = require('node:crypto');
    const workers = Array.from({ length: 4 }, (_, n) =>
      start(
        `Promise.all(Array.from({ length: 50 }, (_, i) => hash('sha256', Buffer.alloc(40_000 + i, workerData.n))))
        .then((digests) => parentPort.postMessage(digests));`,
        { n },
      ),
    );
    const answers = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
    answers.forEach((digests, n) => {
      digests.forEach((digest, i) => {
        assert.equal(
          digest,
          createHash('sha256')
            .update(Buffer.alloc(40_000 + i, n))
            .digest('hex'),
        );
      });
    });
    await Promise.all(workers.map((worker) => worker.terminate()));
  });

  it('can be terminated in mid-job, over and over, and the process goes on', async () => {
    for (let round = 0; round < 10; round++) {
      const workers = Array.from({ length: 3 }, () =>
        start(`const big = Buffer.alloc(16 << 20, 1);
          for (let i = 0; i < 8; i++) hash(i % 2 ? 'sha256' : 'sha512', big);
          parentPort.postMessage('busy');`),
      );
      await Promise.all(workers.map((worker) => once(worker, 'message')));
      await Promise.all(workers.map((worker) => worker.terminate()));
    }
    while (kernels.stats().running > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(kernels.stats().queued, 0);
    assert.match(await hash('sha256', 'still here'), /^[0-9a-f]{64}$/);
  });

  it('end by themselves once their jobs are done', async () => {
    const worker = start(`hash('sha256', Buffer.alloc(1 << 20)).then((digest) => parentPort.postMessage(digest));`);
    const [[digest], [code]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
    assert.equal(digest.length, 64);
    assert.equal(code, 0);
  });
});
