'use strict';
/** What this worker is doing, as JSON. */
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { kernels } = require('rustcluster');

const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();
let requests = 0;

function count(_ctx, next) {
  requests += 1;
  return next();
}

// The histogram counts its own 10 ms between two samples; nanoseconds.
const milliseconds = (value) => Math.max(0, Math.round((value / 1e6 - 10) * 1000) / 1000);

/** GET /metrics: counters since the start; CPU in microseconds, memory in bytes, the loop's delay in milliseconds. */
function show(ctx) {
  ctx.body = {
    pid: process.pid,
    uptime: process.uptime(),
    requests,
    cpu: process.cpuUsage(),
    memory: process.memoryUsage(),
    loopDelay: {
      mean: milliseconds(delay.mean),
      p50: milliseconds(delay.percentile(50)),
      p99: milliseconds(delay.percentile(99)),
      max: milliseconds(delay.max),
    },
    kernels: kernels.stats(),
  };
}

module.exports = { count, show };
