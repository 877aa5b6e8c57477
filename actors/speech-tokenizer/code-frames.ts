import { completedFrame } from '../../kernels/components/language-model/index.ts';

type Codes = readonly [number, number, number, number];

/**
 * The steps of one reply become code frames: the acoustic codes of a frame stand one step after its semantic one
 * (docs/spec/model.md §1.7), so a frame is complete when the next step is known, and the last step makes none.
 */
export class CodeFrames {
  #previous: { readonly codes: Codes } | null = null;

  /** [4] codebook values without the id offset; null where the step completes no frame. */
  step(codes: Codes): readonly number[] | null {
    const frame = completedFrame(this.#previous, { codes });
    this.#previous = { codes };
    return frame;
  }
}
