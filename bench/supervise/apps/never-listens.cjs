'use strict';
setInterval(() => {}, 1000);
