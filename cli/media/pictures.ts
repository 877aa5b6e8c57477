import sharp, { type Sharp } from 'sharp';
import type { RgbImage } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';

const MAX_PIXELS = 64_000_000;

export interface CapturedPicture {
  readonly capturedAtMs: number;
  readonly image: RgbImage;
}

/**
 * Alpha is dropped and hidden colours show, as the official file loader does (docs/spec/model.md §2.2).
 * @throws RuntimeError `media.unreadable`
 */
export async function readPicture(path: string): Promise<RgbImage> {
  return guarded(path, async () => {
    const decoded = (await openPicture(path)).removeAlpha().toColourspace('srgb').raw();
    const { data, info } = await decoded.toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: new Uint8Array(data) };
  });
}

/** Looks at the beginning only. @throws RuntimeError `media.unreadable` */
export async function checkPicture(path: string): Promise<void> {
  await guarded(path, () => openPicture(path));
}

async function openPicture(path: string): Promise<Sharp> {
  const picture = sharp(path, { limitInputPixels: MAX_PIXELS });
  const { format } = await picture.metadata();
  if (format !== 'png' && format !== 'jpeg') throw new Error(`a picture of the format ${format}`);
  return picture;
}

async function guarded<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new RuntimeError(
      'media.unreadable',
      'Not a readable picture.',
      { path, cause: (error as Error).message },
      'Give PNG or JPEG.',
    );
  }
}
