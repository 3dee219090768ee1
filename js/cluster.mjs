// First ours: it changes node:cluster in place, and what is exported below are the changed functions.
import cluster from './cluster.js';

export * from 'node:cluster';
export const { connections, transport } = cluster;
export default cluster;
