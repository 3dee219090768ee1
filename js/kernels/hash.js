const { abortSignal, bytes, object, oneOf, path, typeError } = require('../options.js');
const { run } = require('./jobs.js');

const ENCODINGS = ['hex', 'base64', 'base64url', 'buffer'];

function parse(algorithm, options) {
  if (typeof algorithm !== 'string') throw typeError('algorithm', 'a string', algorithm);
  const { encoding, signal } = object('options', options);
  return {
    encoding: oneOf('options.encoding', encoding, ENCODINGS, 'hex'),
    signal: abortSignal('options.signal', signal),
  };
}

const encode = (digest, encoding) => (encoding === 'buffer' ? digest : digest.toString(encoding));

/**
 * The digest of `data`, computed on Rust threads: `crypto.hash` without holding the event loop.
 *
 * @example await hash('sha256', 'hello') // '2cf24dba...'
 * @param {string} algorithm 'sha256', 'sha224', 'sha384' or 'sha512', spelt as node:crypto takes them (FIPS 180-4)
 * @param {string | Uint8Array | ArrayBuffer} data a string is taken as UTF-8
 * @param {object} [options]
 * @param {'hex' | 'base64' | 'base64url' | 'buffer'} [options.encoding='hex']
 * @param {AbortSignal} [options.signal]
 * @returns {Promise<string | Buffer>} a Buffer with encoding 'buffer'
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_QUEUE_FULL, ABORT_ERR: all as rejections
 */
async function hash(algorithm, data, options) {
  const { encoding, signal } = parse(algorithm, options);
  const input = typeof data === 'string' ? Buffer.from(data) : bytes('data', data);
  return encode(await run((desk, id) => desk.hash(id, algorithm, input), { signal }), encoding);
}

/**
 * The digest of a file, read and hashed on Rust threads at constant memory.
 *
 * @param {string} algorithm as for `hash`
 * @param {string | URL} file path or file URL
 * @param {object} [options] as for `hash`
 * @returns {Promise<string | Buffer>}
 * @throws as `hash`, and Node's system errors (ENOENT, EISDIR, ...)
 */
async function hashFile(algorithm, file, options) {
  const { encoding, signal } = parse(algorithm, options);
  const from = path('file', file);
  const digest = await run((desk, id) => desk.hashFile(id, algorithm, from), { signal, caller: hashFile });
  return encode(digest, encoding);
}

module.exports = { hash, hashFile };
