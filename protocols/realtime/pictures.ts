/**
 * Pictures from the wire: data URI or bare base64 of a PNG or JPEG. Those of an item are looked at in any case, so they
 * are unpacked here and the client is told at once what is none; those of a live stream go on as they came, judged by
 * their header. For somebody who has gone neither is done.
 */
import type { PictureFile, PictureFormat, RgbImage } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import {
  atMostTwo,
  loadPictureLibrary,
  MAX_PICTURE_SIDE,
  type PictureSize,
  readPictureHeader,
  unpackPicture,
} from '../../kernels/pictures/index.ts';
import { bytesOfLongBase64 } from '../media/index.ts';
import { decodeBase64, notBase64 } from './audio-format.ts';
import { type CutPictures, pictureAt } from './cut-pictures.ts';
import { refusal } from './protocol-error.ts';

/** Of all pictures of one item, as they come. */
const MAX_ITEM_PIXELS = 4 * MAX_PICTURE_SIDE ** 2;
const FORMATS: readonly PictureFormat[] = ['png', 'jpeg'];
const DATA_URI = /^data:image\/(?:png|jpe?g);base64,/i;

/** Of one picture; `param` names its field. */
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

export class PictureDecoder {
  readonly #modelPixels: number;

  /** `modelPixels`: of the largest picture that the model looks at. */
  constructor(modelPixels: number) {
    this.#modelPixels = modelPixels;
  }

  /** A client has come: the library is loaded before its first picture is there. */
  prepare(): void {
    loadPictureLibrary().catch(() => {}); // Every picture will say so.
  }

  /**
   * For the pictures of one item, or one picture. Error `client.invalid_image` for anything that is not such a picture,
   * a too large one, and the first one too many of an item.
   */
  forItem(options: PictureOptions): DecodePicture {
    let pixelsLeft = MAX_ITEM_PIXELS;
    return async (source, param) => {
      const bytesOf = pictureBytes(source, param, options);
      return await this.#whileWanted(options, param, async () => {
        const file = await readFile(await bytesOf());
        pixelsLeft -= file.width * file.height;
        if (pixelsLeft >= 0) return await unpackPicture(file, this.#modelPixels);
        const text = `The pictures of one item have more than ${MAX_ITEM_PIXELS} pixels together.`;
        throw refusal('invalid_image', text, param);
      });
    };
  }

  /** A picture of a live stream, as it came. Errors as `forItem`, of what its header says. */
  async file(source: string, param: string, options: PictureOptions): Promise<PictureFile> {
    const bytesOf = pictureBytes(source, param, options);
    return await this.#whileWanted(options, param, async () => await readFile(await bytesOf()));
  }

  async #whileWanted<T>({ isWanted }: PictureOptions, param: string, work: () => Promise<T>): Promise<T> {
    return await atMostTwo(async () => {
      if (!isWanted()) throw refusal('invalid_image', 'The connection is closed.', param);
      try {
        return await work();
      } catch (error) {
        throw refusalOf(error, param);
      }
    });
  }
}

async function readFile(bytes: Buffer): Promise<PictureFile> {
  const header: PictureSize & { readonly format: PictureFormat } = await readPictureHeader(bytes, FORMATS);
  // A plain array, as a recording gives it back.
  return { ...header, bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) };
}

function refusalOf(error: unknown, param: string): RuntimeError {
  const known = error instanceof RuntimeError ? error : null;
  if (known?.code === 'picture.unsupported') return refusal('invalid_image', known.message, param);
  if (known && known.code !== 'picture.unreadable') return known;
  return refusal('invalid_image', 'The picture cannot be decoded.', param);
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
