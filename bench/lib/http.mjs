/** The one HTTP client of the benchmarks: a connection of its own for every request, bounded in time. */
import http from 'node:http';

/**
 * @param {number} port on 127.0.0.1
 * @param {string} path
 * @param {{ body?: Buffer, timeout?: number }} [options] with a body it is a POST; milliseconds for the whole exchange
 * @returns {Promise<{ status: number, body: Buffer }>}
 */
export function request(port, path, { body, timeout = 10_000 } = {}) {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeout);
    const headers = body && { 'content-type': 'image/jpeg', 'content-length': body.length };
    const outgoing = http.request({
      host: '127.0.0.1',
      port,
      path,
      method: body ? 'POST' : 'GET',
      headers,
      agent: false,
      signal,
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks) }));
    });
    outgoing.end(body);
  });
}
