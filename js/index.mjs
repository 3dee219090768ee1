// Named exports are written out: Node finds those of a CommonJS module by a guess that spread syntax defeats.
import rustcluster from './index.js';

export const { flip, flipFile, hash, hashFile, kernels } = rustcluster;
export default rustcluster;
