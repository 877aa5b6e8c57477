import { nativeLinear } from '../linear/cpu.ts';
import type { NativeAddon } from '../native/addon.ts';
import { nativePenalise } from '../penalty/cpu.ts';
import type { PrepareCodebookHeads } from './index.ts';
import { codebookHeadsOver } from './reference.ts';

export const nativeCodebookHeads = (addon: NativeAddon): PrepareCodebookHeads =>
  codebookHeadsOver({
    linear: nativeLinear(addon),
    penalise: nativePenalise(addon),
    argmax: values => addon.argmax(values, 0, values.length),
  });
