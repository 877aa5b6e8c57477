import type { NativeAddon } from '../native/addon.ts';
import type { YuvToRgb } from './index.ts';
import { checkPicture } from './reference.ts';

export const nativeYuvToRgb =
  (addon: NativeAddon): YuvToRgb =>
  (picture, out = new Uint8Array(picture.width * picture.height * 3)) => {
    checkPicture(picture);
    const { width, height, y, u, v } = picture;
    addon.yuvToRgb(y, u, v, width, height, out);
    return out;
  };
