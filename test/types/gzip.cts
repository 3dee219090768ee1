// What must compile of gzip, and, after @ts-expect-error, what must not.
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { constants } from 'node:zlib';
import { createGunzip, createGzip, gunzip, gunzipFile, gzip, gzipFile, hashFile } from 'rustcluster';

async function gzipCalls(): Promise<void> {
  const packed: Buffer = await gzip('text', { level: 9, signal: AbortSignal.timeout(10) });
  const back: Buffer = await gunzip(packed, { maxOutputLength: 1000 });
  const { bytesIn, bytesOut } = await gzipFile('a', new URL('file:///a.gz'), {
    onProgress: ({ bytesDone, total }) => console.log(bytesDone, total ?? bytesDone),
  });
  const left: number = bytesIn - bytesOut - back.length;
  await gunzipFile('a.gz', 'a', { maxOutputLength: left });
  await hashFile('sha256', 'a', { onProgress: ({ bytesDone }) => console.log(bytesDone) });
  const stream = createGzip({ level: 1, flush: constants.Z_SYNC_FLUSH, chunkSize: 1024, highWaterMark: 1 });
  stream.flush(() => console.log(stream.bytesWritten));
  stream.close();
  await pipeline(createReadStream('a'), createGzip(), createGunzip({ maxOutputLength: 5 }), createWriteStream('b'));
  // @ts-expect-error what is decompressed is bytes
  await gunzip('text');
  // @ts-expect-error no such option
  await gzip('text', { maxOutputLength: 5 });
  // @ts-expect-error a level is a number
  createGzip({ level: 'best' });
}
void gzipCalls;
