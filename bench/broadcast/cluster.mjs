/** Clusters under test. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../fixtures/broadcast-cluster.mjs', import.meta.url));

/**
 * @param {'rustcluster' | 'stock'} mode
 * @param {number} workers
 * @returns {Promise<{ pids: number[], run(action: string, options: object): Promise<object>, stop(): Promise<void> }>}
 */
export async function startCluster(mode, workers) {
  const child = fork(SCRIPT, { env: { ...process.env, MODE: mode, WORKERS: String(workers) } });
  const failure = once(child, 'exit').then(fail);
  failure.catch(() => {});
  const next = async () => {
    const [message] = await Promise.race([once(child, 'message'), failure]);
    if (message.error) throw new Error(message.error);
    return message;
  };
  const { pids } = await next();
  return {
    pids,
    async run(action, options) {
      child.send({ action, ...options });
      return (await next()).result;
    },
    async stop() {
      const end = once(child, 'exit');
      child.disconnect();
      await end;
    },
  };
}

/** Starts a cluster, has `use` do its work, and stops it. @see startCluster */
export async function withCluster(mode, workers, use) {
  const cluster = await startCluster(mode, workers);
  try {
    return await use(cluster);
  } finally {
    await cluster.stop();
  }
}

function fail([code, signal]) {
  throw new Error(`the cluster ended with ${signal ?? code}`);
}
