/** Ways to keep an app running in two workers and to reload it: ours, PM2's and one on node:cluster alone. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { appFile, startApp, temporaryFolder } from './app.mjs';

const run = promisify(execFile);
const WORKERS = 2;

/** A copy of an app, where no package.json says that it is an ES module. @returns {string} its path */
export function copyOf(name) {
  const file = join(temporaryFolder(), 'app.js');
  copyFileSync(appFile(name), file);
  return file;
}

/** name -> starts `file`; answers with its port, and how to reload and to stop it. */
export const MANAGERS = {
  async ours(file, env) {
    const app = await startApp(file, ['-w', String(WORKERS), '--probation', '100'], env);
    return { port: app.port, reload: () => app.ask('reload'), stop: () => app.stop() };
  },

  async pm2(file, env) {
    const port = await freePort();
    const program = createRequire(import.meta.url).resolve('pm2/bin/pm2');
    const options = { env: { ...process.env, ...env, PORT: String(port), PM2_HOME: temporaryFolder() } };
    const pm2 = (...args) => run(process.execPath, [program, ...args], { ...options, timeout: 60_000 });
    const stop = () => pm2('kill');
    try {
      await pm2('start', file, '--name', 'chaos', '-i', String(WORKERS));
    } catch (error) {
      await stop();
      throw error;
    }
    return { port, stop, reload: () => pm2('reload', 'chaos') };
  },

  async 'node:cluster'(file, env) {
    const port = await freePort();
    const child = spawn(process.execPath, [copyOf('stock.js'), file, String(WORKERS)], {
      env: { ...process.env, ...env, PORT: String(port) },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    const says = async (word) => {
      for (;;) if (String(await once(child.stdout, 'data')).includes(word)) return;
    };
    await says('ready');
    return {
      port,
      reload: () => {
        child.stdin.write('reload\n');
        return says('reloaded');
      },
      stop: async () => {
        child.stdin.end();
        await once(child, 'exit');
        process.removeListener('exit', kill);
      },
    };
  },
};

/** @returns {Promise<number>} a port nobody listens on */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}
