import { nativeLinear } from '../linear/cpu.ts';
import type { NativeAddon } from '../native/addon.ts';
import type { PrepareConv2d } from './index.ts';
import { conv2dOver } from './reference.ts';

export const nativeConv2d = (addon: NativeAddon): PrepareConv2d => conv2dOver(nativeLinear(addon));
