'use strict';
throw new Error('this version cannot start');
