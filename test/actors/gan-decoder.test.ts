import { describe, expect, it } from 'vitest';
import { engineOnClock } from '../../actors/core/index.ts';
import {
  type GanDecoderOutput,
  type GanDecoderPorts,
  ganDecoderActor,
} from '../../actors/gan-decoder/index.ts';
import type { GanDecoderWork } from '../../kernels/engine/index.ts';
import { ActorStage } from '../support/actor-stage.ts';
import {
  type ZeroLatencyEngine,
  type ZeroLatencyOptions,
  zeroLatencyEngine,
} from '../support/zero-latency-engine.ts';

/** One code frame at 24 kHz (docs/spec/model.md §4.1), and the decoder's look-ahead (docs/spec/model.md §4.5). */
const FRAME = 1440;
const LOOKAHEAD = 3;

type Speech = Extract<GanDecoderOutput, { type: 'speech' }>;

/** A step takes 5 ms. */
class Stage extends ActorStage<GanDecoderPorts, GanDecoderOutput> {
  readonly engine: ZeroLatencyEngine;
  readonly batches: (readonly GanDecoderWork[])[];

  constructor(options: ZeroLatencyOptions = {}) {
    const batches: (readonly GanDecoderWork[])[] = [];
    const engine = zeroLatencyEngine({
      onStep: (_, batch) => batches.push(batch as GanDecoderWork[]),
      ...options,
    });
    super(({ clock, system }) =>
      ganDecoderActor({
        engine: engineOnClock(engine, clock, { ganDecoder: () => 5 }),
        epochs: system.epochs,
        maxBatch: 8,
      }),
    );
    this.engine = engine;
    this.batches = batches;
  }

  /** Frame k of a reply; its semantic code is k. */
  frame(session: string, k: number, generationId = 'g'): void {
    this.send(session, 'frames', {
      type: 'frame',
      generationId,
      codes: [k, 1, 2, 3],
    });
  }

  end(session: string, generationId = 'g'): void {
    this.send(session, 'frames', { type: 'end', generationId });
  }

  speech(session: string): Speech[] {
    return this.of(session).filter((body): body is Speech => body.type === 'speech');
  }

  /** Every code frame of sound, in order and once, has the level of its semantic code. */
  expectSaid(session: string, frames: number): void {
    const said = this.speech(session).flatMap(({ samples }) =>
      Array.from({ length: samples.length / FRAME }, (_, i) => Math.round(samples[i * FRAME] * 512) - 1),
    );
    expect(said).toEqual(Array.from({ length: frames }, (_, k) => k));
  }
}

describe('the speech of a reply', () => {
  it('comes three frames behind, and the rest at the end', async () => {
    const stage = new Stage();
    for (let k = 0; k < 10; k++) stage.frame('a', k);
    await stage.rest();
    stage.expectSaid('a', 10 - LOOKAHEAD);
    stage.end('a');
    await stage.rest();
    stage.expectSaid('a', 10);
    expect(stage.of('a').at(-1)).toEqual({ type: 'end', generationId: 'g', samples: 10 * FRAME });
    expect(stage.engine.openStreams).toBe(0);
  });

  it('of no frames ends at once', async () => {
    const stage = new Stage();
    stage.end('a');
    await stage.rest();
    expect(stage.of('a')).toEqual([{ type: 'end', generationId: 'g', samples: 0 }]);
  });

  it('is silent from the moment its epoch is over, also about a step in flight', async () => {
    const stage = new Stage();
    for (let k = 0; k < 10; k++) stage.frame('a', k);
    await stage.run(7); // The second step, which completes frames, is in flight.
    stage.system.epochs.raise('a');
    await stage.rest();
    expect(stage.outputs).toEqual([]);
    expect(stage.engine.openStreams).toBe(0);
  });

  it('is dropped by a discard, also when the discard overtakes its frames', async () => {
    const stage = new Stage();
    stage.frame('a', 0);
    stage.send('a', 'control', { type: 'discard', generationId: 'g' });
    for (let k = 1; k < 10; k++) stage.frame('a', k);
    stage.end('a');
    stage.frame('a', 0, 'h');
    stage.end('a', 'h');
    await stage.rest();
    expect(stage.of('a').map(body => [body.type, body.generationId])).toEqual([
      ['speech', 'h'],
      ['end', 'h'],
    ]);
    expect(stage.engine.openStreams).toBe(0);
  });
});

describe('the batch', () => {
  it('takes what every session has, bounded for each, and harms none when one closes', async () => {
    const stage = new Stage();
    for (const session of ['a', 'b', 'c']) for (let k = 0; k < 40; k++) stage.frame(session, k);
    await stage.run(7);
    stage.send('b', 'control', { type: 'close' });
    for (const session of ['a', 'c']) stage.end(session);
    await stage.rest();
    for (const session of ['a', 'c']) stage.expectSaid(session, 40);
    expect(stage.batches.some(batch => batch.length === 3)).toBe(true);
    expect(Math.max(...stage.batches.flat().map(({ codes }) => codes.length / 4))).toBeLessThanOrEqual(16);
    expect(stage.engine.openStreams).toBe(0);
  });
});

describe('when the engine fails', () => {
  it.each([0, 1, 2, 5])('at step %i, the reply is decoded again and nothing is said twice', async nth => {
    const stage = new Stage({ fails: (_, step) => step === nth });
    for (let k = 0; k < 30; k++) {
      for (const session of ['a', 'b']) stage.frame(session, k);
      await stage.run(4);
    }
    for (const session of ['a', 'b']) stage.end(session);
    await stage.rest();
    for (const session of ['a', 'b']) {
      stage.expectSaid(session, 30);
      expect(stage.of(session).filter(({ type }) => type === 'end')).toHaveLength(1);
    }
  });

  it('for ever, the reply fails with a readable error and holds no stream', async () => {
    const stage = new Stage({ fails: () => true });
    stage.frame('a', 0);
    await stage.rest();
    expect(stage.of('a')).toMatchObject([{ type: 'failed', generationId: 'g', code: 'engine.failed' }]);
    expect(stage.engine.openStreams).toBe(0);
  });
});
