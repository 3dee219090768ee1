// First ours: it changes node:cluster in place, and what is exported below are the changed functions.
import cluster from './cluster.js';

export * from 'node:cluster';
/** drain and rebalance: undefined in a worker. */
export const { broadcast, connections, drain, rebalance, transport } = cluster;
export default cluster;
