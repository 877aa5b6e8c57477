import {
  type SpeechTokenizerSetup,
  speechTokenizerOf,
} from '../../components/speech-tokenizer/speech-tokenizer.ts';
import { opsOf } from '../ops-of.ts';
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
  ops = opsOf(kind),
  modelDirectory,
  setup,
}: ServiceOptions<SpeechTokenizerSetup>): Service<SpeechWork, SpeechAnswer> {
  const tokenizer = speechTokenizerOf(ops, modelDirectory, setup);
  return { step: batch => batch.map(({ samples }) => tokenizer.encode(samples)) };
}
