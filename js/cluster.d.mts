import cluster from './cluster.js';

export * from 'node:cluster';
export type Policy = cluster.Policy;
export type Transport = cluster.Transport;
export type Load = cluster.Load;
export const connections: cluster.Additions['connections'];
export const transport: cluster.Transport;
export default cluster;
