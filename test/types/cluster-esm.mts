import cluster, { connections, type Load, type Policy, transport } from 'rustcluster/cluster';

const policy: Policy = 'round-robin';
cluster.setupPrimary({ policy });
const first: Load | undefined = connections()[0];
void [first?.stalled, transport === cluster.transport];
