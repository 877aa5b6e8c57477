import { describe, expect, it } from 'vitest';
import { CodeFrames } from '../../actors/speech-tokenizer/index.ts';
import { ABSENT, CODE_END } from '../../kernels/engine/index.ts';

const NO_ACOUSTICS = [ABSENT, ABSENT, ABSENT] as const;

describe('recorded steps', () => {
  it('become the frames of the worked trace of docs/spec/model.md §1.9', () => {
    const frames = new CodeFrames();
    // Semantic code s of a step and acoustics of the frame before: offset 32 + the number in the trace.
    const steps = [
      [32, ...NO_ACOUSTICS],
      [33, 40, 50, 60],
      [34, 41, 51, 61],
      [CODE_END, 42, 52, 62],
      [35, ...NO_ACOUSTICS],
      [36, 43, 53, 63],
      [CODE_END, 44, 54, 64],
    ] as const;
    expect(steps.map(codes => frames.step(codes)).filter(frame => frame !== null)).toEqual([
      [0, 8, 18, 28],
      [1, 9, 19, 29],
      [2, 10, 20, 30],
      [3, 11, 21, 31],
      [4, 12, 22, 32],
    ]);
  });

  it('of one reply make no frame with those of another', () => {
    const [one, other] = [new CodeFrames(), new CodeFrames()];
    one.step([32, ...NO_ACOUSTICS]);
    expect(other.step([33, 40, 50, 60])).toBeNull();
    expect(one.step([34, 40, 50, 60])).toEqual([0, 8, 18, 28]);
  });
});
