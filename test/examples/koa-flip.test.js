'use strict';
// POST /flip: raw, as a form, without a body, and all that can be wrong with it.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { setTimeout } = require('node:timers/promises');
const { kernels } = require('rustcluster');
const { occupy } = require('../fixtures/busy.js');
const { request } = require('../fixtures/http.js');
const { bmp, four, readBmp } = require('../fixtures/images.js');

const sample = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'rustcluster-test-')), 'sample.bmp');
const { close, listen } = require('../fixtures/koa.js');

const image = bmp(four);
const upsideDown = [...four].reverse();

function form(parts, boundary = 'xxBOUNDARYxx') {
  const chunks = parts.flatMap(([head, content]) => [
    `--${boundary}\r\nContent-Disposition: form-data; ${head}`,
    content,
  ]);
  const body = Buffer.concat(
    chunks.flatMap((chunk, i) => [Buffer.from(chunk), Buffer.from(i % 2 === 0 ? '\r\n\r\n' : '\r\n')]),
  );
  return {
    body: Buffer.concat([body, Buffer.from(`--${boundary}--\r\n`)]),
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  };
}

/** Folders the article's job works in. */
const leftovers = () => fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith('koa-flip-'));

describe('POST /flip', () => {
  let port;
  const flip = (body, options = {}) => request(port, options.path ?? '/flip', { method: 'POST', body, ...options });

  before(async () => {
    port = await listen();
    process.env.SAMPLE = sample;
    fs.writeFileSync(sample, image);
  });
  after(async () => {
    await close();
    delete process.env.SAMPLE;
    fs.rmSync(path.dirname(sample), { recursive: true });
  });

  it('flips the image that is the body', async () => {
    const { status, headers, body } = await flip(image, { headers: { 'content-type': 'text/lies' } });
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'image/bmp');
    assert.match(headers['x-response-time'], /^\d+(\.\d+)?ms$/);
    assert.deepEqual(readBmp(body), upsideDown);
  });

  it('flips the other way, and both', async () => {
    const horizontal = await flip(image, { path: '/flip?direction=horizontal' });
    const both = await flip(image, { path: '/flip?direction=both' });
    const mirrored = four.map((row) => [...row].reverse());
    assert.deepEqual(readBmp(horizontal.body), mirrored);
    assert.deepEqual(readBmp(both.body), [...mirrored].reverse());
  });

  it('flips a body of unknown length', async () => {
    const { status, body } = await flip(image, { headers: { 'transfer-encoding': 'chunked' } });
    assert.equal(status, 200);
    assert.deepEqual(readBmp(body), upsideDown);
  });

  it('flips the first file of a form', async () => {
    const { body, headers } = form([
      ['name="title"', 'a picture'],
      ['name="picture"; filename="a.bmp"\r\nContent-Type: image/bmp', image],
      ['name="second"; filename="b.bmp"', 'is not looked at'],
    ]);
    const answer = await flip(body, { headers });
    assert.equal(answer.status, 200);
    assert.deepEqual(readBmp(answer.body), upsideDown);
  });

  it("does the article's job on the sample when there is no body, and cleans up", async () => {
    const { status, headers, body } = await flip();
    assert.equal(status, 200);
    assert.equal(Number(headers['content-length']), body.length);
    assert.deepEqual(readBmp(body), upsideDown);
    assert.deepEqual(leftovers(), []);
  });

  it('cleans up, too, when the job fails', async () => {
    fs.writeFileSync(sample, 'no image');
    assert.equal((await flip()).status, 415);
    fs.rmSync(sample);
    const { status, headers, json } = await flip();
    assert.deepEqual([status, json().code, headers['retry-after']], [503, 'ERR_NO_SAMPLE', '1']);
    fs.writeFileSync(sample, image);
    assert.deepEqual(leftovers(), []);
  });

  for (const [what, body, options, status, code] of [
    ['text', 'just words', {}, 415, 'ERR_IMAGE_UNSUPPORTED'],
    ['an image that ends early', image.subarray(0, 60), {}, 400, 'ERR_IMAGE_CORRUPT'],
    ['an unknown direction', image, { path: '/flip?direction=up' }, 400, 'ERR_INVALID_ARG_VALUE'],
    ['two directions', image, { path: '/flip?direction=both&direction=both' }, 400, 'ERR_INVALID_ARG_TYPE'],
    ['a form without a file', form([['name="a"', 'b']]).body, form([]), 400, 'ERR_BODY_MALFORMED'],
    ['a form that is cut off', form([['name="a"; filename="b"', 'c']]).body.subarray(0, 70), form([]), 400],
    ['a form without a boundary', 'x', { headers: { 'content-type': 'multipart/form-data' } }, 400],
  ]) {
    it(`answers ${status} to ${what}`, async () => {
      const answer = await flip(body, { path: options.path, headers: options.headers });
      assert.equal(answer.status, status, answer.text);
      assert.equal(answer.json().code, code ?? 'ERR_BODY_MALFORMED');
    });
  }

  it('answers 413 to an image with too many pixels, before it decodes one', async () => {
    const huge = Buffer.from(image);
    huge.writeInt32LE(65_535, 18);
    huge.writeInt32LE(65_535, 22);
    const { status, json } = await flip(huge);
    assert.deepEqual([status, json().code], [413, 'ERR_IMAGE_TOO_LARGE']);
  });

  it('answers 413 to an announced length over the limit, before the body comes', async () => {
    const req = http.request({ host: '127.0.0.1', port, path: '/flip', method: 'POST', agent: false });
    req.setHeader('content-length', 64 * 1024 * 1024 + 1);
    req.on('error', () => {});
    req.flushHeaders();
    const res = await new Promise((resolve) => req.once('response', resolve));
    assert.equal(res.statusCode, 413);
    assert.equal(res.headers.connection, 'close');
    req.destroy();
  });

  it('answers 503 with Retry-After when the queue is full', async () => {
    const { maxQueue } = kernels.stats();
    kernels.configure({ maxQueue: 1 });
    // As many as run at once, and one that waits.
    const idle = occupy(kernels.stats().threads + 1);
    try {
      const { status, headers, json } = await flip(image);
      assert.deepEqual([status, headers['retry-after'], json().code], [503, '1', 'ERR_QUEUE_FULL']);
    } finally {
      await idle();
      kernels.configure({ maxQueue });
    }
    assert.equal((await flip(image)).status, 200);
  });

  it('gives up the job of a client that leaves', async () => {
    const { threads, aborted } = kernels.stats();
    const idle = occupy(threads);
    const controller = new AbortController();
    const answer = assert.rejects(flip(image, { signal: controller.signal }));
    while (kernels.stats().queued === 0) await setTimeout(1);
    controller.abort();
    await answer;
    while (kernels.stats().queued > 0) await setTimeout(1);
    assert.equal(kernels.stats().aborted, aborted + 1);
    await idle();
  });

  it('survives clients that leave in mid-body', async () => {
    for (const type of ['image/bmp', 'multipart/form-data; boundary=x']) {
      const socket = net.connect(port, '127.0.0.1');
      socket.write(`POST /flip HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: 1000\r\n\r\n--x\r\n`);
      await new Promise((resolve) => socket.once('connect', resolve));
      socket.destroy();
    }
    assert.equal((await flip(image)).status, 200);
  });
});
