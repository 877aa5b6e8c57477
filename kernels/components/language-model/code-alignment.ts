import { ABSENT, CODE_END, CODE_OFFSET, CODE_PAD, CODEBOOKS } from '../../engine/positions.ts';
import { RuntimeError } from '../../errors.ts';
import type { GeneratedStep } from './generation.ts';

/**
 * Undoes the one-step acoustic delay (docs/spec/model.md §1.7) as steps arrive: the frame that became complete with
 * `current`, or null: semantic value and three acoustic values, without the id offset. Absent and reserved ids make no
 * frame; a step that ends a segment carries such an id (2).
 */
export function completedFrame(
  previous: Pick<GeneratedStep, 'codes'> | null,
  current: Pick<GeneratedStep, 'codes'>,
): readonly number[] | null {
  if (previous === null) return null;
  const semantic = previous.codes[0];
  const { 1: a, 2: b, 3: c } = current.codes;
  if (Math.min(semantic, a, b, c) < CODE_OFFSET) return null;
  return [semantic - CODE_OFFSET, a - CODE_OFFSET, b - CODE_OFFSET, c - CODE_OFFSET];
}

/** All frames of recorded steps as [frames × 4], one continuous sequence over the segments of a reply. */
export function framesOfSteps(steps: readonly GeneratedStep[]): Int32Array {
  const frames = steps
    .map((step, k) => completedFrame(steps[k - 1] ?? null, step))
    .filter(frame => frame !== null);
  return Int32Array.from(frames.flat());
}

/**
 * The layout of a spoken segment in a prompt (docs/spec/model.md §1.7): frames and text → n + 1 steps, acoustics one
 * step late.
 *
 * @param frames [n × 4] values without the id offset
 * @param text ids, closed by `</pause>` or `</longcat_s>`
 * @throws RuntimeError `code-alignment.text` when the text is longer than n + 1 steps
 */
export function stepsOfSegment(frames: Int32Array, text: readonly number[]): GeneratedStep[] {
  const count = frames.length / CODEBOOKS;
  if (text.length > count + 1) {
    throw new RuntimeError(
      'code-alignment.text',
      'The text of a spoken segment has more tokens than the segment has steps.',
      { tokens: text.length, steps: count + 1 },
      'Keep the turn as text only.',
    );
  }
  const id = (frame: number, codebook: number) => CODE_OFFSET + frames[frame * CODEBOOKS + codebook];
  return Array.from({ length: count + 1 }, (_, k) => {
    const acoustic = (codebook: number) => (k === 0 ? CODE_PAD : id(k - 1, codebook));
    const semantic = k === count ? CODE_END : id(k, 0);
    return { text: text[k] ?? ABSENT, codes: [semantic, acoustic(1), acoustic(2), acoustic(3)] };
  });
}
