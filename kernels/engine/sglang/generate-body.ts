/**
 * The body of a request for a reply, piece by piece: a long context is hundreds of megabytes of text
 * (docs/spec/remote.md §1).
 */
import type { SamplingRequest } from '../engine.ts';
import type { Positions } from '../positions.ts';
import { IGNORES_EOS } from './settings.ts';
import type { WrittenVectors } from './written-vectors.ts';

/** No limit: theirs is not ours. */
const ALL = -1;

export interface GenerateRequestBody {
  readonly rid: string;
  readonly context: readonly Positions[];
  /** Of the context. */
  readonly length: number;
  readonly sample: SamplingRequest;
  /** Of the reply, at most. */
  readonly steps: number;
}

export function* generateBody(
  { rid, context, length, sample, steps }: GenerateRequestBody,
  written: WrittenVectors,
  maxPositions: number,
): Generator<string | Uint8Array> {
  yield `{"rid":${JSON.stringify(rid)},"input_embeds":[`;
  let isFirst = true;
  for (const run of context) {
    for (const piece of written.pieces(run)) {
      if (!isFirst) yield ',';
      yield piece;
      isFirst = false;
    }
  }
  const sampling = samplingOf(sample, Math.min(steps, maxPositions - length));
  yield `],"sampling_params":${JSON.stringify(sampling)},"stream":true}`;
}

function samplingOf(sample: SamplingRequest, steps: number): Record<string, unknown> {
  const { temperature, topK, topP, repetitionPenalty } = sample;
  return {
    max_new_tokens: Math.max(1, steps),
    temperature,
    top_p: topP,
    top_k: topK > 0 ? topK : ALL,
    repetition_penalty: repetitionPenalty,
    ignore_eos: IGNORES_EOS,
  };
}
