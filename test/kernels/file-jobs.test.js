'use strict';
// What all jobs on files promise: memory that does not grow with them, progress now and then, an end at once on abort.
const assert = require('node:assert/strict');
const { execFile, spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const timers = require('node:timers');
const { promisify } = require('node:util');
const { createHash, flipFile, gunzipFile, gzipFile, hashFile, hashFiles } = require('rustcluster');

const MIB = 2 ** 20;
const SIZE = 192 * MIB;

describe('jobs on files', () => {
  let folder;
  const at = (name) => path.join(folder, name);
  const sources = ['a', 'b', 'c', 'long', 'long packed', 'packed'];
  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rustcluster-file-jobs-'));
    // Files with nothing in them: read as zeros, and no room taken on the disk.
    for (const name of ['a', 'b', 'c']) {
      fs.writeFileSync(at(name), '');
      fs.truncateSync(at(name), SIZE);
    }
    await gzipFile(at('a'), at('packed'), { level: 1 });
    fs.writeFileSync(at('long'), '');
    fs.truncateSync(at('long'), 64 * SIZE);
    fs.writeFileSync(at('long packed'), Buffer.concat(Array(64).fill(fs.readFileSync(at('packed')))));
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  const jobsOn = (source, packed) => ({
    hashFile: (options) => hashFile('sha256', at(source), options),
    hashFiles: (options) => hashFiles('sha256', [at(source), at('b'), at('c')], options),
    gzipFile: (options) => gzipFile(at(source), at('out'), { level: 1, ...options }),
    gunzipFile: (options) => gunzipFile(at(packed), at('out'), options),
  });
  const jobs = jobsOn('a', 'packed');
  /** They would end, but not within what a busy machine keeps this process from aborting them. */
  const endless = jobsOn('long', 'long packed');

  it('take memory that the size of the files does not show in', async function () {
    if (process.platform !== 'linux') this.skip();
    const script = `
      const fs = require('node:fs');
      const { gunzipFile, gzipFile, hashFile, hashFiles } = require(${JSON.stringify(require.resolve('rustcluster'))});
      const peak = () => Number(/VmHWM:\\s+(\\d+)/.exec(fs.readFileSync('/proc/self/status', 'latin1'))[1]) * 1024;
      const at = (name) => ${JSON.stringify(folder)} + '/' + name;
      (async () => {
        const before = peak();
        await hashFile('sha256', at('a'));
        await hashFiles('sha256', [at('a'), at('b'), at('c')]);
        await gzipFile(at('a'), at('out'), { level: 1 });
        await gunzipFile(at('packed'), at('out'));
        console.log(peak() - before);
      })();`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script]);
    assert.ok(Number(stdout) > 0);
    assert.ok(Number(stdout) < SIZE / 2, `${stdout} bytes for files of ${SIZE}`);
  });

  for (const [name, job] of Object.entries(jobs)) {
    it(`tell how far they are, to the end: ${name}`, async () => {
      const calls = [];
      const totals = new Set();
      await job({
        onProgress({ bytesDone, total }) {
          calls.push(bytesDone);
          totals.add(total);
        },
      });
      const whole = { hashFiles: 3 * SIZE, gunzipFile: fs.statSync(at('packed')).size }[name] ?? SIZE;
      assert.equal(calls.at(-1), whole);
      assert.deepEqual([...totals], [whole]);
      assert.ok(calls.every((done, i) => i === 0 || done > calls[i - 1]));
    });

    it(`end early when aborted, and leave nothing: ${name}`, async () => {
      fs.rmSync(at('out'), { force: true });
      await assert.rejects(job({ signal: AbortSignal.abort() }), { code: 'ABORT_ERR' });
      const controller = new AbortController();
      const running = endless[name]({ signal: controller.signal });
      controller.abort();
      await assert.rejects(running, { code: 'ABORT_ERR' });
      assert.deepEqual(fs.readdirSync(folder).sort(), sources);
    });
  }

  const writers = {
    flipFile: (target) => flipFile(at('picture'), target),
    gzipFile: (target) => gzipFile(at('picture'), target),
    gunzipFile: (target) => gunzipFile(at('packed'), target),
  };
  for (const [name, write] of Object.entries(writers)) {
    it(`do not put a file in the place of what is none: ${name}`, async function () {
      if (process.platform === 'win32') this.skip();
      fs.copyFileSync(path.join(__dirname, 'flip_lossless/findings/tem-behind-fill-bytes.jpg'), at('picture'));
      const server = net.createServer().listen(at('socket'));
      await once(server, 'listening');
      fs.symlinkSync(at('socket'), at('link'));
      fs.mkdirSync(at('directory'));
      try {
        for (const target of ['socket', 'link']) {
          await assert.rejects(write(at(target)), { code: 'ERR_INVALID_ARG_VALUE', message: /not a regular file/ });
        }
        await assert.rejects(write(at('directory')), { code: 'EISDIR', syscall: 'open', path: at('directory') });
        assert.ok(fs.lstatSync(at('socket')).isSocket() && fs.lstatSync(at('link')).isSymbolicLink());
      } finally {
        for (const entry of ['picture', 'link', 'directory']) fs.rmSync(at(entry), { recursive: true });
        server.close();
        await once(server, 'close');
      }
    });
  }

  it('leave nothing when their process is killed', async function () {
    // O_TMPFILE: without it there is a file with a name for as long as a job takes.
    const nameless = 0o20200000;
    try {
      fs.closeSync(fs.openSync(folder, nameless | fs.constants.O_WRONLY));
    } catch {
      this.skip();
    }
    const script = `
      const { gzipFile } = require(${JSON.stringify(require.resolve('rustcluster'))});
      gzipFile(${JSON.stringify(at('long'))}, ${JSON.stringify(at('out'))}, { onProgress: () => console.log('under way') });`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'close');
    assert.deepEqual(fs.readdirSync(folder).sort(), sources);
  });

  it('report at most 20 times a second', () => {
    const file = require.resolve('../../js/kernels/progress.js');
    const loaded = require.cache[file];
    const { setInterval } = timers;
    const ticks = [];
    timers.setInterval = (callback, milliseconds) => {
      ticks.push({ callback, milliseconds });
      return setInterval(() => {}, 1e6);
    };
    delete require.cache[file];
    const { watch } = require(file);
    timers.setInterval = setInterval;
    require.cache[file] = loaded;
    let bytesDone = 0;
    let calls = 0;
    // A job that gets further whenever it is asked.
    const desk = { watch: () => ({ bytesDone: ++bytesDone }), abort: () => assert.fail('not aborted') };
    const unwatch = watch(desk, 1, () => {
      calls += 1;
    });
    assert.equal(ticks.length, 1);
    for (let time = 0; time < 1000; time += ticks[0].milliseconds) ticks[0].callback();
    unwatch({ bytesDone: bytesDone + 1 });
    assert.ok(calls > 5 && calls <= 20, `${calls} calls`);
  });

  it('createHash is destroyed by its signal', async () => {
    const controller = new AbortController();
    const stream = createHash('sha256', { signal: controller.signal });
    const ended = new Promise((resolve) => stream.once('error', resolve));
    stream.write(Buffer.alloc(100_000));
    controller.abort();
    assert.equal((await ended).code, 'ABORT_ERR');
    assert.ok(stream.destroyed);
  });
});
