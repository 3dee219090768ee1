import rustcluster, { type FlipInfo, type flip, hash, kernels } from 'rustcluster';

const info: FlipInfo['format'] = 'webp';
const digest: string = await hash('sha256', info);
const same: typeof flip = rustcluster.flip;
void [digest, same, kernels.stats().running];
