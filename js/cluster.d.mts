import cluster from './cluster.js';

export * from 'node:cluster';
export type Policy = cluster.Policy;
export type Transport = cluster.Transport;
export type Load = cluster.Load;
export type DrainOptions = cluster.DrainOptions;
export type Drained = cluster.Drained;
export const broadcast: cluster.Additions['broadcast'];
export const connections: cluster.Additions['connections'];
export const drain: cluster.Additions['drain'];
export const rebalance: cluster.Additions['rebalance'];
export const transport: cluster.Transport;
export default cluster;
