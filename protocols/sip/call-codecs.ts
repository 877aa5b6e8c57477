/** The codecs that calls may have here: Opus only where its library, which is optional, is installed. */
import { RuntimeError } from '../../kernels/errors.ts';
import { loadOpus, type TunableOpusLibrary } from '../media/index.ts';
import type { SipCodec } from './codecs.ts';

export interface CallCodecs {
  /** In order of choice; `opus` among them where there is a library. */
  readonly names: readonly SipCodec[];
  readonly library: TunableOpusLibrary | null;
}

/** `onMissing`: Opus is left out. Errors: `sip.no_codec` where nothing is left then. */
export async function callCodecs(
  wanted: readonly SipCodec[],
  onMissing: (why: string) => void = () => {},
  load: () => Promise<TunableOpusLibrary> = loadOpus,
): Promise<CallCodecs> {
  if (!wanted.includes('opus')) return { names: wanted, library: null };
  try {
    return { names: wanted, library: await load() };
  } catch (error) {
    const names = wanted.filter(codec => codec !== 'opus');
    const why = (error as Error).message.split('\n')[0];
    if (names.length === 0) {
      const remedy = 'Run npm install without --omit=optional, or choose another codec.';
      throw new RuntimeError(
        'sip.no_codec',
        'Opus needs libopus-wasm, which cannot be loaded.',
        { why },
        remedy,
      );
    }
    onMissing(why);
    return { names, library: null };
  }
}
