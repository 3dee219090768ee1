/**
 * The peers' ways of turning a JPEG upside down, as their documentation says. Each entry loads its package and answers a
 * function from bytes to bytes.
 */

/** The JPEG quality that all of them write. */
export const QUALITY = 90;

/** @type {Record<string, () => Promise<(bytes: Buffer) => Promise<Buffer>>>} */
export const FLIPS = {
  async sharp() {
    const { default: sharp } = await import('sharp');
    return (bytes) => sharp(bytes).flip().jpeg({ quality: QUALITY }).toBuffer();
  },
  async '@napi-rs/image'() {
    const { Orientation, Transformer } = await import('@napi-rs/image');
    // It has no flip: "rotate" takes the eight EXIF orientations, one of which is the mirror.
    return (bytes) => new Transformer(bytes).rotate(Orientation.MirrorVertical).jpeg(QUALITY);
  },
  async Jimp() {
    const { Jimp } = await import('jimp');
    return async (bytes) => {
      const image = await Jimp.read(bytes, { 'image/jpeg': { maxMemoryUsageInMB: 4096 } });
      return image.flip({ vertical: true }).getBuffer('image/jpeg', { quality: QUALITY });
    };
  },
};
