// `node --import rustcluster/register app.mjs`: the same for `--import`.
import './register.js';
