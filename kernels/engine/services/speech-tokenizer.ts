import { DeviceSpeechTokenizer } from '../../components/speech-tokenizer/device-speech-tokenizer.ts';
import {
  type SpeechTokenizerSetup,
  speechTokenizerOf,
} from '../../components/speech-tokenizer/speech-tokenizer.ts';
import { cudaDevice, opsOf } from '../ops-of.ts';
import type { Service } from '../service.ts';
import type { ServiceOptions } from './options.ts';

export const streamOf = (): null => null;

interface SpeechWork {
  readonly samples: Float32Array;
}

interface SpeechAnswer {
  readonly codes: Int32Array;
  readonly frames: number;
}

export function loadService({
  kind,
  ops,
  modelDirectory,
  setup,
}: ServiceOptions<SpeechTokenizerSetup>): Service<SpeechWork, SpeechAnswer> {
  const tokenizer =
    kind === 'cuda' && !ops
      ? new DeviceSpeechTokenizer(opsOf('auto'), modelDirectory, setup, cudaDevice())
      : speechTokenizerOf(ops ?? opsOf(kind), modelDirectory, setup);
  return { step: batch => batch.map(({ samples }) => tokenizer.encode(samples)) };
}
