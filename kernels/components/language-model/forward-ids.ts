import { textPositions } from '../../engine/positions.ts';
import type { Ops } from '../../ops.ts';
import type { Routing } from '../../router/index.ts';
import type { LanguageModel } from './language-model.ts';
import { loadLanguageModel } from './load.ts';
import { type StepSpan, StepSpans } from './step-spans.ts';

interface ForwardResult {
  /** One row per position. */
  readonly logits: number[][];
  /** Per layer, per position: experts in ascending order and their weights (factor included). */
  readonly router: { readonly indices: number[][]; readonly weights: number[][] }[];
  /** Greedy text ids; end of sequence is ignored. */
  readonly generated: number[];
  /** The rows the generated ids were chosen from; the first equals the last of `logits`. */
  readonly generatedLogits: number[][];
  /** Per step (the prompt, then each generated id that was fed back) when asked for and experts are on ranks. */
  readonly spans?: StepSpan[][];
}

interface ForwardSettings {
  readonly generate?: number;
  readonly ops: Ops;
  /** Of a model that is loaded here. */
  readonly ranks?: number;
  readonly spans?: boolean;
}

/**
 * Logits and routing of a text prompt, and a greedy continuation: what `longcat-rt forward` prints.
 *
 * @param model a model directory, or a loaded model
 */
export function forwardIds(
  model: string | LanguageModel,
  ids: readonly number[],
  { generate = 0, ops, ranks, spans: wanted }: ForwardSettings,
): ForwardResult {
  const languageModel = typeof model === 'string' ? loadLanguageModel(model, ops, { ranks }) : model;
  const { vocabSize } = languageModel.config;
  const sequence = languageModel.open();
  const steps: StepSpan[][] = [];
  const forward = (of: readonly number[], routing?: (layer: number, routing: Routing) => void) => {
    const spans = wanted ? new StepSpans() : undefined;
    const logits = languageModel.forward(sequence, textPositions(of), { routing, spans });
    if (spans) steps.push(spans.list());
    return rowsOf(logits, vocabSize);
  };
  try {
    const router: ForwardResult['router'] = [];
    const logits = forward(ids, (_, routing) => router.push(routingRows(routing)));

    const generated: number[] = [];
    const generatedLogits: number[][] = [];
    let row = logits.at(-1) as number[];
    while (generated.length < generate) {
      const id = ops.sampleToken(Float32Array.from(row), GREEDY);
      generated.push(id);
      generatedLogits.push(row);
      if (generated.length < generate) [row] = forward([id]);
    }
    return { logits, router, generated, generatedLogits, ...(wanted && { spans: steps }) };
  } finally {
    languageModel.close(sequence);
  }
}

const GREEDY = { temperature: 1, topK: 1, topP: 1, draw: 0 };

function routingRows({ topK, indices, weights }: Routing): { indices: number[][]; weights: number[][] } {
  return { indices: rowsOf(indices, topK), weights: rowsOf(weights, topK) };
}

function rowsOf(values: Float32Array | Int32Array, width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, r) =>
    Array.from(values.subarray(r * width, (r + 1) * width)),
  );
}
