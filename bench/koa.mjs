/** The articles' experiments: ten photos at once for a Koa server, and 200 connections for a busy hello-world. */
import { runHello } from './koa/hello.mjs';
import { runPhotos } from './koa/photos.mjs';

export const rounds = 5;

/**
 * @param {object} options
 * @param {(line: string) => void} log
 * @returns {Promise<object[]>} the reports
 */
export async function run(options, log) {
  const reports = [];
  for (const [name, experiment] of Object.entries({ photos: runPhotos, hello: runHello })) {
    if (name.includes(options.only)) reports.push(await experiment(options, log));
  }
  return reports;
}
