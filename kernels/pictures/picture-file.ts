/** Picture files: what their header says, and their pixels. */
import type { Sharp, SharpOptions } from 'sharp';
import type { PictureFile, PictureFormat, RgbImage } from '../engine/engine.ts';
import { RuntimeError } from '../errors.ts';

export const MAX_PICTURE_SIDE = 4096;
/** A picture keeps at least this much; the model makes it smaller by its own rule. */
const LEAST_MAX_PIXELS = 640 * 480;
/** Of what the model looks at, so that its own resampling still decides what is seen. */
const KEPT_PIXELS = 2;

/** As it is looked at: turned upright. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

type Open = (bytes: Uint8Array, options: SharpOptions) => Sharp;

/** The library is twelve megabytes that a server to which nobody has come yet does without. */
let library: Promise<Open> | null = null;

export function loadPictureLibrary(): Promise<Open> {
  library ??= import('sharp').then(({ default: sharp }) => sharp);
  return library;
}

/**
 * From the header; nothing is unpacked.
 * @throws RuntimeError `picture.unsupported` (another format, or a side above `MAX_PICTURE_SIDE`), `picture.unreadable`
 */
export async function readPictureHeader(
  bytes: Uint8Array,
  formats: readonly PictureFormat[],
): Promise<PictureSize & { readonly format: PictureFormat }> {
  const {
    format,
    width,
    height,
    orientation = 1,
  } = await readable(async () => (await open(bytes)).metadata());
  const known = formats.find(name => name === format);
  if (known === undefined || Math.max(width, height) > MAX_PICTURE_SIDE) {
    const names = formats.map(name => name.toUpperCase()).join(' or ');
    throw new RuntimeError(
      'picture.unsupported',
      `${format} of ${width}×${height} is not ${names} of at most ${MAX_PICTURE_SIDE} a side.`,
    );
  }
  return orientation > 4 ? { format: known, width: height, height: width } : { format: known, width, height };
}

/**
 * Its pixels, upright, on white, no more of them than the model can make use of. The file's header is judged again:
 * whoever made it may have said anything of it.
 * @param modelPixels of the largest picture that the model looks at
 * @throws RuntimeError as `readPictureHeader`
 */
export async function unpackPicture(
  { bytes, format }: Pick<PictureFile, 'bytes' | 'format'>,
  modelPixels: number,
): Promise<RgbImage> {
  const { width, height } = await readPictureHeader(bytes, [format]);
  let picture = (await open(bytes)).autoOrient();
  const scale = Math.sqrt(Math.max(LEAST_MAX_PIXELS, KEPT_PIXELS * modelPixels) / (width * height));
  if (scale < 1) {
    const side = (length: number) => Math.max(1, Math.floor(length * scale));
    picture = picture.resize(side(width), side(height), { fit: 'fill', kernel: 'cubic' });
  }
  const rgb = picture.flatten({ background: 'white' }).toColourspace('srgb').raw();
  const { data, info } = await readable(() => rgb.toBuffer({ resolveWithObject: true }));
  // A view, not a copy: it is ours alone.
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.length);
  return { width: info.width, height: info.height, data: pixels };
}

async function open(bytes: Uint8Array): Promise<Sharp> {
  const load = await loadPictureLibrary();
  return load(bytes, { limitInputPixels: MAX_PICTURE_SIDE ** 2, failOn: 'error' });
}

async function readable<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch {
    throw new RuntimeError('picture.unreadable', 'The picture cannot be decoded.');
  }
}
