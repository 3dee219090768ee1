// The drop-in is typed as node:cluster is, with what comes on top.
import net = require('node:net');
import cluster = require('rustcluster/cluster');

cluster.setupPrimary({ exec: 'worker.js', policy: 'sticky' });
const worker: cluster.Worker = cluster.fork({ COLOUR: 'red' });
worker.on('exit', (code, signal) => void [code.toFixed(), signal.trim()]);
const loads: cluster.Load[] = cluster.connections();
const transport: 'uv' | 'thread' | 'stock' = cluster.transport;
net.createServer().listen({ port: 0, policy: 'kernel' satisfies cluster.Policy });
cluster.setupPrimary({ moveConnections: true, rebalance: true });
void cluster.drain(worker, { timeout: 1000, idle: 'linger' }).then((drained: cluster.Drained) => drained.swept?.moved);
void cluster.rebalance().then(({ moved }) => moved.toFixed());
// @ts-expect-error no such policy
cluster.setupPrimary({ policy: 'random' });
// @ts-expect-error it is told, not set
cluster.transport = 'uv';
void [loads[0]?.active, transport];
