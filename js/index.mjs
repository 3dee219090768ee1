// Named exports are written out: Node finds those of a CommonJS module by a guess that spread syntax defeats.
import rustcluster from './index.js';

export const {
  BroadcastChannel,
  availableParallelism,
  createGunzip,
  createGzip,
  createHash,
  flip,
  flipFile,
  gunzip,
  gunzipFile,
  gzip,
  gzipFile,
  hash,
  hashFile,
  hashFiles,
  hashMany,
  kernels,
  openStore,
  supervise,
} = rustcluster;
export default rustcluster;
