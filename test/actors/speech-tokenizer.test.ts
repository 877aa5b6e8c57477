import { describe, expect, it } from 'vitest';
import { engineOnClock } from '../../actors/core/index.ts';
import {
  type SpeechTokenizerOutput,
  type SpeechTokenizerPorts,
  speechTokenizerActor,
} from '../../actors/speech-tokenizer/index.ts';
import { ABSENT, CODE_END } from '../../kernels/engine/index.ts';
import { ActorStage } from '../support/actor-stage.ts';
import { type ZeroLatencyOptions, zeroLatencyEngine } from '../support/zero-latency-engine.ts';

class Stage extends ActorStage<SpeechTokenizerPorts, SpeechTokenizerOutput> {
  readonly lengths: number[];

  constructor(options: ZeroLatencyOptions = {}) {
    const lengths: number[] = [];
    const onStep = (_: unknown, batch: readonly unknown[]) =>
      lengths.push(...(batch as { samples: Float32Array }[]).map(({ samples }) => samples.length));
    const engine = zeroLatencyEngine({ onStep, ...options });
    super(({ clock }) =>
      speechTokenizerActor({
        engine: engineOnClock(engine, clock, { speechTokenizer: () => 20 }),
        maxBatch: 4,
      }),
    );
    this.lengths = lengths;
  }

  step(session: string, index: number, ...codes: [number, number, number, number]): void {
    this.send(session, 'steps', { type: 'step', generationId: 'g', index, codes });
  }

  encode(session: string, requestId: string, seconds: number): void {
    this.send(session, 'encode', { requestId, samples: new Float32Array(seconds * 16_000) });
  }
}

const NO_ACOUSTICS: [number, number, number] = [ABSENT, ABSENT, ABSENT];

describe('recorded steps', () => {
  it('become the frames of the worked trace of docs/spec/model.md §1.9', () => {
    const stage = new Stage();
    // Semantic code s of a step and acoustics of the frame before: offset 32 + the number in the trace.
    stage.step('a', 0, 32, ...NO_ACOUSTICS);
    stage.step('a', 1, 33, 40, 50, 60);
    stage.step('a', 2, 34, 41, 51, 61);
    stage.step('a', 3, CODE_END, 42, 52, 62);
    stage.step('a', 4, 35, ...NO_ACOUSTICS);
    stage.step('a', 5, 36, 43, 53, 63);
    stage.step('a', 6, CODE_END, 44, 54, 64);
    stage.send('a', 'steps', { type: 'end', generationId: 'g' });
    const frames = stage.of('a').flatMap(body => (body.type === 'frame' ? [[body.step, ...body.codes]] : []));
    expect(frames).toEqual([
      [0, 0, 8, 18, 28],
      [1, 1, 9, 19, 29],
      [2, 2, 10, 20, 30],
      [4, 3, 11, 21, 31],
      [5, 4, 12, 22, 32],
    ]);
    expect(stage.of('a').at(-1)).toEqual({ type: 'end', generationId: 'g', frames: 5 });
  });

  it('of another epoch make no frame with those of this one', () => {
    const stage = new Stage();
    stage.step('a', 0, 32, ...NO_ACOUSTICS);
    stage.system.epochs.raise('a');
    stage.send('a', 'steps', { type: 'step', generationId: 'h', index: 0, codes: [33, 40, 50, 60] });
    expect(stage.outputs).toEqual([]);
  });

  it('of sessions do not mix', () => {
    const stage = new Stage();
    stage.step('a', 0, 32, ...NO_ACOUSTICS);
    stage.step('b', 0, 33, ...NO_ACOUSTICS);
    stage.step('a', 1, 34, 40, 50, 60);
    expect(stage.outputs.map(({ session }) => session)).toEqual(['a']);
  });
});

describe('audio of the history', () => {
  it('is encoded in pieces of at most 30 s and comes back as one', async () => {
    const stage = new Stage();
    stage.encode('a', 'r', 75);
    await stage.rest();
    expect(stage.lengths).toEqual([480_000, 480_000, 240_000]);
    expect(stage.of('a')).toMatchObject([{ type: 'encoded', requestId: 'r', frames: 75_000 / 60 }]);
  });

  it('longer than two minutes is refused', async () => {
    const stage = new Stage();
    stage.encode('a', 'r', 121);
    await stage.rest();
    expect(stage.of('a')).toMatchObject([
      { type: 'failed', requestId: 'r', code: 'speech-tokenizer.too-long' },
    ]);
  });

  it('of a failing engine is tried again, then fails, and the next request is served', async () => {
    const stage = new Stage({ fails: (_, step) => step < 2 });
    stage.encode('a', 'r', 1);
    stage.encode('a', 's', 1);
    await stage.rest();
    expect(stage.of('a')).toMatchObject([
      { type: 'failed', requestId: 'r', code: 'engine.failed' },
      { type: 'encoded', requestId: 's' },
    ]);
  });
});
