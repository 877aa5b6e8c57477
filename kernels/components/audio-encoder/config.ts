import { join } from 'node:path';
import { z } from 'zod';
import type { CmvnStatistics } from '../../cmvn/index.ts';
import { RuntimeError } from '../../errors.ts';
import type { FbankOptions } from '../../fbank/index.ts';
import type { SpliceLayout } from '../../splice/index.ts';
import { fileNameSchema, readConfigFile, sizeSchema } from '../config-file.ts';
import { fbankOptions, fbankSchema, readCmvnStatistics } from '../feature-config.ts';

/** The audio encoder's features are taken at 16-bit integer range (docs/spec/model.md §3.1). */
const SAMPLE_SCALE = 32768;
const MAX_ORDER = 1000;
const order = z.int().min(0).max(MAX_ORDER);

/** `audio/config.json`; the defaults are the released model's (docs/spec/model.md §3.3). */
const networkSchema = z.object({
  input_size: sizeSchema.default(1200),
  hidden_size: sizeSchema.default(6144),
  proj_size: sizeSchema.default(1536),
  nlayer: z.int().min(1).max(1000).default(22),
  num_right_layers: order.default(6),
  left_order: order.default(10),
  right_order: order.default(1),
  left_stride: z.int().min(1).max(MAX_ORDER).default(1),
  ndnn: z.int().min(1).max(100).default(2),
  vocab_size: sizeSchema.default(5252),
  activation: z.literal('relu6').default('relu6'),
  proj_output_dim: sizeSchema.default(6144),
  /** Ours, optional: the words of the CTC head after the blank, for live captions. */
  ctc_words: z.array(z.string().min(1).max(100)).min(1).max(100_000).optional(),
});

/** `audio/preprocessor_config.json` (docs/spec/model.md §11). */
const preprocessorSchema = z.object({
  fbank: fbankSchema.prefault({}),
  delta: z.object({ order: z.literal(0).default(0) }).prefault({}),
  cmvn: z.object({ file: fileNameSchema.default('global_cmvn.json') }).prefault({}),
  splice: z
    .object({
      left: order.default(7),
      right: order.default(7),
      stride: z.int().min(1).max(MAX_ORDER).default(8),
    })
    .prefault({}),
});

export type AudioEncoderNetwork = z.infer<typeof networkSchema>;

export interface AudioEncoderConfig {
  readonly network: AudioEncoderNetwork;
  readonly fbank: FbankOptions;
  readonly statistics: CmvnStatistics;
  readonly splice: SpliceLayout;
}

/** `audio/` of a model directory. @throws RuntimeError `config.open` | `config.invalid` */
export function readAudioEncoderConfig(modelDirectory: string): AudioEncoderConfig {
  const directory = join(modelDirectory, 'audio');
  const path = join(directory, 'config.json');
  const network = readConfigFile(path, networkSchema);
  const preprocessor = readConfigFile(join(directory, 'preprocessor_config.json'), preprocessorSchema);
  const fbank = fbankOptions(preprocessor.fbank, SAMPLE_SCALE);
  const { splice } = preprocessor;
  const spliced = fbank.bins * (splice.left + 1 + splice.right);
  if (spliced !== network.input_size || network.num_right_layers > network.nlayer) {
    throw new RuntimeError('config.invalid', 'The audio encoder does not fit its features or its layers.', {
      file: path,
      input_size: network.input_size,
      spliced,
      nlayer: network.nlayer,
      num_right_layers: network.num_right_layers,
    });
  }
  const words = network.ctc_words;
  if (words && words.length + 1 !== network.vocab_size) {
    const values = { file: path, ctc_words: words.length, vocab_size: network.vocab_size };
    throw new RuntimeError(
      'config.invalid',
      'The CTC head must have a blank and one entry per word.',
      values,
    );
  }
  const statistics = readCmvnStatistics(join(directory, preprocessor.cmvn.file), fbank.bins);
  return { network, fbank, statistics, splice };
}
