/** Pictures from the wire: data URI or bare base64 of a PNG or JPEG → RGB. */
import sharp from 'sharp';
import type { RgbImage } from '../../kernels/engine/index.ts';
import { decodeBase64 } from './audio-format.ts';
import { refusal } from './protocol-error.ts';

const MAX_SIDE_PIXELS = 4096;
const DATA_URI = /^data:image\/(?:png|jpe?g);base64,/i;

/** Error `realtime.invalid_image` for anything that is not such a picture, or a too large one. */
export async function decodePicture(
  source: string,
  param: string,
  allowBareBase64: boolean,
): Promise<RgbImage> {
  const prefix = DATA_URI.exec(source)?.[0];
  if (prefix === undefined && (!allowBareBase64 || source.startsWith('data:') || source.includes('://'))) {
    throw refusal(
      'invalid_image',
      'A picture is a data URI of a PNG or JPEG; it is not fetched from elsewhere.',
      param,
    );
  }
  const bytes = decodeBase64(source.slice(prefix?.length ?? 0), param);
  if (bytes.length === 0) throw refusal('invalid_image', 'The picture is empty.', param);
  // The pixel limit is checked by sharp from the header, before anything is unpacked.
  const picture = sharp(bytes, { limitInputPixels: MAX_SIDE_PIXELS ** 2, failOn: 'error' });
  try {
    const { format, width, height } = await picture.metadata();
    if ((format !== 'png' && format !== 'jpeg') || Math.max(width, height) > MAX_SIDE_PIXELS) {
      throw refusal(
        'invalid_image',
        `${format} of ${width}×${height} is not a PNG or JPEG of at most ${MAX_SIDE_PIXELS} a side.`,
        param,
      );
    }
    const upright = picture.autoOrient().flatten({ background: 'white' }).toColourspace('srgb');
    const { data, info } = await upright.raw().toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: new Uint8Array(data) };
  } catch (error) {
    if (error instanceof Error && error.name === 'RuntimeError') throw error;
    throw refusal('invalid_image', 'The picture cannot be decoded.', param);
  }
}
