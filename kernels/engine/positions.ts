import { RuntimeError } from '../errors.ts';

/**
 * LLM input positions as a struct of arrays (docs/spec/model.md §1.6): every position carries one text id and four code
 * ids; positions whose text id is `<|audio_pad|>` or `<|image_pad|>` take the next row of `features` instead.
 */
export interface Positions {
  /** [n] text ids; `ABSENT` contributes nothing. */
  readonly textIds: Int32Array;
  /** [n × 4] semantic id then three acoustic ids; `CODE_PAD` (3) or `ABSENT` contributes nothing. */
  readonly codes: Int32Array;
  /** [k × hidden] encoder vectors, in the order in which pad positions consume them. */
  readonly features: Float32Array;
  /**
   * `prompt` (default): as above. `decode`: what a generated step feeds back; every id that is not `ABSENT` adds its
   * table row, a generated pad too, and no position takes a feature.
   */
  readonly rule?: 'prompt' | 'decode';
}

/** A generated step may lack a text id or acoustic ids: such an id is −1 and contributes a zero vector. */
export const ABSENT = -1;
/** Reserved code ids (docs/spec/model.md §1.6). */
export const CODE_END = 2;
export const CODE_PAD = 3;
export const CODE_OFFSET = 32;
export const CODEBOOKS = 4;

/** Text alone: every position carries four pad codes. */
export function textPositions(ids: readonly number[] | Int32Array): Positions {
  return {
    textIds: Int32Array.from(ids),
    codes: new Int32Array(ids.length * CODEBOOKS).fill(CODE_PAD),
    features: new Float32Array(0),
  };
}

/** One after the other. @throws RuntimeError `positions.rule` when prompt and decode positions are mixed */
export function concatPositions(parts: readonly Positions[]): Positions {
  const rule = parts[0]?.rule;
  if (parts.some(part => (part.rule ?? 'prompt') !== (rule ?? 'prompt'))) {
    throw new RuntimeError('positions.rule', 'Prompt and decode positions cannot be one piece.', {
      rules: parts.map(part => part.rule ?? 'prompt').join(', '),
    });
  }
  const textIds = new Int32Array(parts.reduce((sum, part) => sum + part.textIds.length, 0));
  const codes = new Int32Array(textIds.length * CODEBOOKS);
  const features = new Float32Array(parts.reduce((sum, part) => sum + part.features.length, 0));
  let position = 0;
  let feature = 0;
  for (const part of parts) {
    textIds.set(part.textIds, position);
    codes.set(part.codes, position * CODEBOOKS);
    features.set(part.features, feature);
    position += part.textIds.length;
    feature += part.features.length;
  }
  return { textIds, codes, features, ...(rule && { rule }) };
}

/** Positions `begin` … `end − 1` with the features that belong to them; views, not copies. */
export function slicePositions(
  positions: Positions,
  begin: number,
  end: number,
  tokens: { readonly audioPad: number; readonly imagePad: number },
): Positions {
  const { textIds, codes, features, rule } = positions;
  const countPads = (ids: Int32Array) =>
    ids.reduce((count, id) => count + Number(id === tokens.audioPad || id === tokens.imagePad), 0);
  const pads = countPads(textIds);
  const width = pads ? features.length / pads : 0;
  const kept = textIds.subarray(begin, end);
  const first = countPads(textIds.subarray(0, begin)) * width;
  return {
    textIds: kept,
    codes: codes.subarray(begin * CODEBOOKS, end * CODEBOOKS),
    features: features.subarray(first, first + countPads(kept) * width),
    ...(rule && { rule }),
  };
}
