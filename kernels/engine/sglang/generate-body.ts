/** The body of a request for a reply, piece by piece: a long context is hundreds of megabytes of text (docs/spec/remote.md §1). */
import type { Embedder } from '../../components/language-model/index.ts';
import type { SamplingRequest } from '../engine.ts';
import { type Positions, slicePositions } from '../positions.ts';
import { IGNORES_EOS, MOST_NEW_TOKENS, type SglangSettings } from './settings.ts';
import { vectorText } from './vector-text.ts';

/** Positions written at a time: about a millisecond's work where a vector has 6144 numbers. */
const AT_ONCE = 16;
/** No limit: theirs is not ours. */
const ALL = -1;

export interface GenerateRequestBody {
  readonly rid: string;
  readonly context: readonly Positions[];
  /** Of the context. */
  readonly length: number;
  readonly sample: SamplingRequest;
}

export function* generateBody(
  { rid, context, length, sample }: GenerateRequestBody,
  embedder: Embedder,
  { vectors }: Pick<SglangSettings, 'vectors'>,
): Generator<string> {
  yield `{"rid":${JSON.stringify(rid)},"input_embeds":[`;
  let comma = '';
  for (const run of context) {
    for (let from = 0; from < run.textIds.length; from += AT_ONCE) {
      const piece = slicePositions(run, from, from + AT_ONCE, embedder.pads);
      yield comma + vectorText(embedder.vectors(piece), embedder.hidden, vectors);
      comma = ',';
    }
  }
  const sampling = samplingOf(sample, embedder.maxPositions - length);
  yield `],"sampling_params":${JSON.stringify(sampling)},"stream":true}`;
}

function samplingOf(sample: SamplingRequest, room: number): Record<string, unknown> {
  const { temperature, topK, topP, repetitionPenalty } = sample;
  return {
    max_new_tokens: Math.max(1, Math.min(MOST_NEW_TOKENS, room)),
    temperature,
    top_p: topP,
    top_k: topK > 0 ? topK : ALL,
    repetition_penalty: repetitionPenalty,
    ignore_eos: IGNORES_EOS,
  };
}
