'use strict';
/** Reads the image of a request: the body itself, or the first file of a form. */
const busboy = require('@fastify/busboy');
const { HttpError } = require('./http-error.js');

/** The largest image that is taken, in bytes. */
const LIMIT = 64 * 1024 * 1024;

const tooLarge = (limit) => new HttpError(413, 'ERR_BODY_TOO_LARGE', `The body is larger than ${limit} bytes`);

/** Collects a stream. @throws HttpError 413 as soon as it passes the limit, before the rest is read */
async function collect(stream, limit) {
  const chunks = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

/** The first file of a multipart body; fields and further files are skipped. */
function firstFile(req, limit) {
  return new Promise((resolve, reject) => {
    const refuse = (message) => reject(new HttpError(400, 'ERR_BODY_MALFORMED', message));
    let parser;
    try {
      parser = new busboy.Busboy({ headers: req.headers, limits: { fileSize: limit, files: 1, fields: 100 } });
    } catch (error) {
      refuse(error.message);
      return;
    }
    let file;
    parser.on('file', (_field, stream) => {
      const chunks = [];
      stream.on('data', (chunk) => chunks.push(chunk));
      stream.on('limit', () => reject(tooLarge(limit)));
      stream.on('error', (error) => refuse(error.message));
      stream.on('end', () => {
        file = Buffer.concat(chunks);
      });
    });
    parser.on('finish', () => (file ? resolve(file) : refuse('The form holds no file')));
    parser.on('error', (error) => refuse(error.message));
    // A client that leaves in mid-form never gets to 'finish'.
    req.once('close', () => {
      if (!req.complete) refuse('The body ended too early');
    });
    req.pipe(parser);
  });
}

/**
 * @param {import('koa').Context} ctx
 * @param {number} [limit] bytes, 64 MiB unless told
 * @returns {Promise<Buffer>} empty when the body is
 * @throws HttpError 400 for a broken form, 413 for a body over the limit
 */
async function readImage(ctx, limit = LIMIT) {
  // Believed only to refuse early: what really comes is counted as well.
  if (ctx.request.length > limit) throw tooLarge(limit);
  return ctx.is('multipart/form-data') ? firstFile(ctx.req, limit) : collect(ctx.req, limit);
}

module.exports = { LIMIT, readImage };
