import type { NativeAddon } from '../native/addon.ts';
import type { G711, G711Law } from './index.ts';
import { type Tables, tables } from './reference.ts';

const native = (addon: NativeAddon, { decoded, encoded }: Tables): G711 => ({
  decode(bytes, out = new Float32Array(bytes.length)) {
    addon.g711Decode(bytes, bytes.length, decoded, out);
    return out;
  },
  encode(samples, out = new Uint8Array(samples.length)) {
    addon.g711Encode(samples, samples.length, encoded, out);
    return out;
  },
});

export const nativeG711 = (addon: NativeAddon): Readonly<Record<G711Law, G711>> => ({
  'mu-law': native(addon, tables['mu-law']),
  'a-law': native(addon, tables['a-law']),
});
