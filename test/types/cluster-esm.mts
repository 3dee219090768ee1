import cluster, { connections, type DrainOptions, drain, type Load, type Policy, transport } from 'rustcluster/cluster';

const policy: Policy = 'round-robin';
cluster.setupPrimary({ policy });
const first: Load | undefined = connections()[0];
const options: DrainOptions = { idle: 'close' };
void [drain === cluster.drain, options];
void [first?.stalled, transport === cluster.transport];
