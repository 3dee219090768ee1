// What must compile, and, after @ts-expect-error, what must not.
import { type ErrorCode, flip, flipFile, hash, hashFile, kernels } from 'rustcluster';

async function kernelCalls(): Promise<void> {
  const flipped: Buffer = await flip(new Uint8Array(4), { direction: 'both', lossless: 'require', quality: 80 });
  const info = await flipFile('a.jpg', new URL('file:///b.jpg'), { signal: AbortSignal.timeout(10) });
  const size: number = info.width * info.height + info.bytesOut + flipped.length;
  const exact: 'all' | 'part' | 'none' = info.exact;
  const hex: string = await hash('sha256', 'text');
  const raw: Buffer = await hash('sha512', new ArrayBuffer(size), { encoding: 'buffer' });
  const base64: string = await hashFile('sha224', 'file', { encoding: 'base64' });
  kernels.configure({ threads: 2, maxQueue: kernels.stats().queued + hex.length + raw.length + base64.length });
  const code: ErrorCode = 'ERR_QUEUE_FULL';
  // @ts-expect-error a string is no image
  await flip(code);
  // @ts-expect-error no such direction
  await flip(raw, { direction: 'sideways' });
  // @ts-expect-error a Buffer comes only with encoding 'buffer'
  const wrong: Buffer = await hash('sha256', 'text', { encoding: 'hex' });
  // @ts-expect-error no such code
  const unknown: ErrorCode = 'ERR_WHATEVER';
  void [wrong, unknown, exact];
}
void kernelCalls;
