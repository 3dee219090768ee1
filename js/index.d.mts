export * from './index.js';

import * as rustcluster from './index.js';
export default rustcluster;
