import { nativeLinear } from '../linear/cpu.ts';
import type { NativeAddon } from '../native/addon.ts';
import type { PrepareConvTranspose1d } from './index.ts';
import { convTranspose1dOver } from './reference.ts';

export const nativeConvTranspose1d = (addon: NativeAddon): PrepareConvTranspose1d =>
  convTranspose1dOver(nativeLinear(addon));
