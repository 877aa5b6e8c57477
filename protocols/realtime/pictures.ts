/**
 * Pictures from the wire: data URI or bare base64 of a PNG or JPEG → RGB, no larger than the model can make use of. A
 * few kilobytes may unpack to fifty megabytes, so the header is judged first, what is larger shrinks while it is
 * unpacked, the process unpacks two at a time, and nothing is unpacked for somebody who has gone.
 */
import type { Sharp, SharpOptions } from 'sharp';
import type { RgbImage } from '../../kernels/engine/index.ts';
import { bytesOfLongBase64 } from '../media/index.ts';
import { decodeBase64, notBase64 } from './audio-format.ts';
import { type CutPictures, pictureAt } from './cut-pictures.ts';
import { refusal } from './protocol-error.ts';

const MAX_SIDE_PIXELS = 4096;
/** Of all pictures of one item, as they come. */
const MAX_ITEM_PIXELS = 4 * MAX_SIDE_PIXELS ** 2;
const MAX_AT_ONCE = 2;
const FILES = ['png', 'jpeg'] as const;
const FRAMES = ['webp'] as const;
/** A picture keeps at least this much; the model makes it smaller by its own rule. */
const LEAST_MAX_PIXELS = 640 * 480;
const DATA_URI = /^data:image\/(?:png|jpe?g);base64,/i;

/** Decodes one picture; `param` names its field. */
export type DecodePicture = (source: string, param: string) => Promise<RgbImage>;

export interface PictureOptions {
  /** Base64 without the head of a data URI is one too. */
  readonly allowBareBase64: boolean;
  /** Whether somebody still wants it. */
  readonly isWanted: () => boolean;
  /** Those that were cut out of the event. */
  readonly cut?: CutPictures;
  /** Resolves in a later turn of the event loop. */
  readonly nextTurn?: () => Promise<void>;
}

type Open = (bytes: Buffer, options: SharpOptions) => Sharp;

/** The library is twelve megabytes that a server to which nobody has come yet does without. */
let library: Promise<Open> | null = null;

function loadLibrary(): Promise<Open> {
  library ??= import('sharp').then(({ default: sharp }) => sharp);
  return library;
}

export class PictureDecoder {
  readonly #maxPixels: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** `modelPixels`: of the largest picture that the model looks at. */
  constructor(modelPixels: number) {
    // Twice as many, so that the model's own resampling still decides what is seen.
    this.#maxPixels = Math.max(LEAST_MAX_PIXELS, 2 * modelPixels);
  }

  /** A client has come: the library is loaded before its first picture is there. */
  prepare(): void {
    loadLibrary().catch(() => {}); // Every picture will say so.
  }

  /**
   * For the pictures of one item, or one picture. Error `client.invalid_image` for anything that is not such a picture,
   * a too large one, and the first one too many of an item.
   */
  forItem(options: PictureOptions): DecodePicture {
    const { isWanted } = options;
    let pixelsLeft = MAX_ITEM_PIXELS;
    return async (source, param) => {
      const bytes = pictureBytes(source, param, options);
      return this.#decode(bytes, FILES, param, isWanted, size => {
        pixelsLeft -= size.width * size.height;
        if (pixelsLeft >= 0) return;
        const text = `The pictures of one item have more than ${MAX_ITEM_PIXELS} pixels together.`;
        throw refusal('invalid_image', text, param);
      });
    };
  }

  /** A picture of a live stream, as WebP. Errors as `forItem`. */
  async frame(webp: Buffer, isWanted: () => boolean): Promise<RgbImage> {
    return await this.#decode(
      async () => webp,
      FRAMES,
      'frame',
      isWanted,
      () => {},
    );
  }

  async #decode(
    bytesOf: () => Promise<Buffer>,
    formats: readonly string[],
    param: string,
    isWanted: () => boolean,
    onSize: (size: PixelSize) => void,
  ): Promise<RgbImage> {
    await this.#enter();
    try {
      if (!isWanted()) throw refusal('invalid_image', 'The connection is closed.', param);
      const bytes = await bytesOf();
      const open = opener(await loadLibrary());
      const size = await judge(open(bytes), formats, param);
      onSize(size);
      return await unpack(open(bytes), size, this.#maxPixels);
    } catch (error) {
      if (error instanceof Error && error.name === 'RuntimeError') throw error;
      throw refusal('invalid_image', 'The picture cannot be decoded.', param);
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < MAX_AT_ONCE) this.#running++;
    else await new Promise<void>(resolve => this.#waiting.push(resolve));
  }

  /** Whoever waits longest has the place. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running--;
  }
}

/** Refuses at once what is no picture by its look; of a long one the bytes come when they are asked for. */
function pictureBytes(
  source: string,
  param: string,
  { allowBareBase64, cut = [], nextTurn = async () => {} }: PictureOptions,
): () => Promise<Buffer> {
  const prefix = DATA_URI.exec(source)?.[0];
  if (prefix === undefined && (!allowBareBase64 || source.startsWith('data:') || source.includes('://'))) {
    throw refusal(
      'invalid_image',
      'A picture is a data URI of a PNG or JPEG; it is not fetched from elsewhere.',
      param,
    );
  }
  const long = pictureAt(source, cut);
  if (long) return async () => (await bytesOfLongBase64(long, nextTurn)) ?? notBase64(param);
  const bytes = decodeBase64(source.slice(prefix?.length ?? 0), param);
  if (bytes.length === 0) throw refusal('invalid_image', 'The picture is empty.', param);
  return async () => bytes;
}

interface PixelSize {
  /** As it is looked at. */
  readonly width: number;
  readonly height: number;
}

/** From the header, before anything is unpacked. */
async function judge(file: Sharp, formats: readonly string[], param: string): Promise<PixelSize> {
  const { format, width, height, orientation = 1 } = await file.metadata();
  if (formats.includes(format) && Math.max(width, height) <= MAX_SIDE_PIXELS)
    return orientation > 4 ? { width: height, height: width } : { width, height };
  throw refusal(
    'invalid_image',
    `${format} of ${width}×${height} is not ${formats.map(name => name.toUpperCase()).join(' or ')} of at most ${MAX_SIDE_PIXELS} a side.`,
    param,
  );
}

async function unpack(file: Sharp, { width, height }: PixelSize, maxPixels: number): Promise<RgbImage> {
  let picture = file.autoOrient();
  const scale = Math.sqrt(maxPixels / (width * height));
  if (scale < 1) {
    const side = (length: number) => Math.max(1, Math.floor(length * scale));
    picture = picture.resize(side(width), side(height), { fit: 'fill', kernel: 'cubic' });
  }
  const rgb = picture.flatten({ background: 'white' }).toColourspace('srgb').raw();
  const { data, info } = await rgb.toBuffer({ resolveWithObject: true });
  // A view, not a copy: it is ours alone.
  return {
    width: info.width,
    height: info.height,
    data: new Uint8Array(data.buffer, data.byteOffset, data.length),
  };
}

const opener = (open: Open) => (bytes: Buffer) =>
  open(bytes, { limitInputPixels: MAX_SIDE_PIXELS ** 2, failOn: 'error' });
