import { z } from 'zod';
import { type CmvnStatistics, cmvnStatistics } from '../cmvn/index.ts';
import { RuntimeError } from '../errors.ts';
import { FBANK_DEFAULTS, type FbankOptions } from '../fbank/index.ts';
import { readConfigFile, sizeSchema } from './config-file.ts';

/** The `fbank` keys of `audio/preprocessor_config.json` and of the codec's feature section (docs/spec/model.md §11). */
export const fbankSchema = z.object({
  frame_length: z.number().positive().default(FBANK_DEFAULTS.frameLengthMs),
  frame_shift: z.number().positive().default(FBANK_DEFAULTS.frameShiftMs),
  preemphasis: z.number().default(FBANK_DEFAULTS.preEmphasis),
  freq: sizeSchema.default(FBANK_DEFAULTS.sampleRateHz),
  low_freq: z.number().default(FBANK_DEFAULTS.lowFrequencyHz),
  high_freq: z.number().default(FBANK_DEFAULTS.highFrequencyHz),
  num_mel_bins: sizeSchema.default(FBANK_DEFAULTS.bins),
  // Inference must repeat; a model that asks for dither noise cannot be served as it was trained.
  dither: z.literal(0, { error: 'dither noise is not supported, expected 0' }).default(0),
});

export const fbankOptions = (config: z.infer<typeof fbankSchema>, scale: number): FbankOptions => ({
  sampleRateHz: config.freq,
  frameLengthMs: config.frame_length,
  frameShiftMs: config.frame_shift,
  preEmphasis: config.preemphasis,
  lowFrequencyHz: config.low_freq,
  highFrequencyHz: config.high_freq,
  bins: config.num_mel_bins,
  scale,
});

const statisticsSchema = z.object({ stats: z.tuple([z.array(z.number()), z.array(z.number())]) });

/**
 * `global_cmvn.json` or `encoder_cmvn.json`: `stats` = [[Σx (bins), count], [Σx² (bins), ·]].
 * @throws RuntimeError `config.open` | `config.invalid`
 */
export function readCmvnStatistics(path: string, bins: number): CmvnStatistics {
  const { stats } = readConfigFile(path, statisticsSchema);
  if (stats.some(row => row.length !== bins + 1) || !(stats[0][bins] > 0)) {
    throw new RuntimeError('config.invalid', 'The normalisation statistics do not fit the filter bank.', {
      file: path,
      bins,
      rows: stats.map(row => row.length).join(', '),
      count: stats[0][bins],
    });
  }
  return cmvnStatistics(stats[0], stats[1]);
}
