import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AudioEncoderInput,
  type AudioEncoderOutput,
  type AudioEncoderPorts,
  audioEncoderActor,
  MAX_OPEN,
} from '../../actors/audio-encoder/index.ts';
import { engineOnClock } from '../../actors/core/index.ts';
import type { AudioEncoderWork } from '../../kernels/engine/index.ts';
import { ActorStage } from '../support/actor-stage.ts';
import {
  type ZeroLatencyEngine,
  type ZeroLatencyOptions,
  zeroLatencyEngine,
} from '../support/zero-latency-engine.ts';

/** 80 ms at 16 kHz: one vector. */
const VECTOR = 1280;
/** The exact encoder is six vectors behind (docs/spec/model.md §3.4). */
const LOOKAHEAD = 6;

type Vectors = Extract<AudioEncoderOutput, { type: 'vectors' }>;

/** A step takes 5 ms. */
class Stage extends ActorStage<AudioEncoderPorts, AudioEncoderOutput> {
  readonly engine: ZeroLatencyEngine;
  readonly batches: (readonly AudioEncoderWork[])[];

  constructor(options: ZeroLatencyOptions = {}, maxBatch = 8) {
    const batches: (readonly AudioEncoderWork[])[] = [];
    const engine = zeroLatencyEngine({
      onStep: (_, batch) => batches.push(batch as AudioEncoderWork[]),
      ...options,
    });
    super(({ clock }) =>
      audioEncoderActor({ engine: engineOnClock(engine, clock, { audioEncoder: () => 5 }), maxBatch }),
    );
    this.engine = engine;
    this.batches = batches;
  }

  input(session: string, input: AudioEncoderInput): void {
    this.send(session, 'utterance', input);
  }

  begin(session: string, utteranceId = 'u'): void {
    this.input(session, { type: 'begin', utteranceId });
  }

  hear(session: string, vectors: number): void {
    this.input(session, { type: 'audio', utteranceId: 'u', samples: new Float32Array(vectors * VECTOR) });
  }

  vectors(session: string, speculationId: number | null): Vectors[] {
    return this.of(session).filter(
      (body): body is Vectors => body.type === 'vectors' && body.speculationId === speculationId,
    );
  }

  /** The first value of each true vector: its index, from the counting encoder. */
  heard(session: string): number[] {
    const { hiddenSize } = this.engine.model;
    return this.vectors(session, null).flatMap(({ vectors, count, firstIndex }) =>
      Array.from({ length: count }, (_, i) => {
        expect(vectors[i * hiddenSize]).toBe(firstIndex + i);
        return firstIndex + i;
      }),
    );
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('an utterance', () => {
  it('gives its vectors six behind, and the rest at its end', async () => {
    const stage = new Stage();
    stage.begin('a');
    stage.hear('a', 20);
    await stage.rest();
    expect(stage.heard('a')).toEqual(upTo(20 - LOOKAHEAD));
    stage.input('a', { type: 'end', utteranceId: 'u' });
    await stage.rest();
    expect(stage.heard('a')).toEqual(upTo(20));
    expect(stage.vectors('a', null).map(({ last }) => last)).toEqual([false, true]);
    expect(stage.engine.openStreams).toBe(0);
  });

  it('discarded gives nothing more and holds no stream', async () => {
    const stage = new Stage();
    stage.begin('a');
    stage.hear('a', 20);
    stage.input('a', { type: 'discard', utteranceId: 'u' });
    await stage.rest();
    expect(stage.outputs).toEqual([]);
    expect(stage.engine.openStreams).toBe(0);
  });

  it('keeps its own stream beside others of its session, whichever ends first', async () => {
    const stage = new Stage();
    const audio = (utteranceId: string, vectors: number) =>
      stage.input('a', { type: 'audio', utteranceId, samples: new Float32Array(vectors * VECTOR) });
    stage.begin('a');
    audio('u', 20);
    stage.begin('a', 'v');
    audio('v', 10);
    audio('u', 5);
    stage.input('a', { type: 'end', utteranceId: 'v' });
    stage.input('a', { type: 'end', utteranceId: 'u' });
    await stage.rest();
    const counts = (utteranceId: string) =>
      stage
        .vectors('a', null)
        .reduce((sum, { count, ...of }) => sum + (of.utteranceId === utteranceId ? count : 0), 0);
    expect([counts('u'), counts('v')]).toEqual([25, 10]);
    expect(stage.engine.openStreams).toBe(0);
  });

  it('that nobody ends is discarded when too many of its session have begun, and begun anew when its id is', async () => {
    const stage = new Stage();
    const ids = Array.from({ length: MAX_OPEN + 1 }, (_, i) => `u${i}`);
    for (const id of ids) {
      stage.begin('a', id);
      stage.input('a', { type: 'audio', utteranceId: id, samples: new Float32Array(VECTOR) });
    }
    stage.begin('a', 'u1');
    for (const id of ids) stage.input('a', { type: 'end', utteranceId: id });
    await stage.rest();
    const ended = stage.vectors('a', null).filter(({ last }) => last);
    expect(ended.map(({ utteranceId, count }) => `${utteranceId}: ${count}`).sort()).toEqual(
      ids
        .slice(1)
        .map(id => `${id}: ${id === 'u1' ? 0 : 1}`)
        .sort(),
    );
    expect(stage.engine.openStreams).toBe(0);
  });

  it('that arrives all at once waits its turn, in steps that keep nobody waiting', async () => {
    const stage = new Stage();
    stage.begin('a');
    stage.input('a', { type: 'audio', utteranceId: 'u', samples: new Float32Array(110 * 16_000) });
    stage.input('a', { type: 'end', utteranceId: 'u' });
    await stage.rest();
    const answers = stage.of('a');
    expect(answers.map(({ type }) => type)).toEqual(Array(28).fill('vectors'));
    expect(answers.filter(answer => answer.type === 'vectors' && answer.last)).toEqual([answers.at(-1)]);
    const count = answers.reduce((sum, answer) => sum + (answer.type === 'vectors' ? answer.count : 0), 0);
    expect(count).toBe((110 * 1000) / 80);
    expect(stage.engine.openStreams).toBe(0);
  });
});

describe('a speculation', () => {
  it('answers the flushed vectors and keeps the original for a rollback', async () => {
    const stage = new Stage();
    stage.begin('a');
    stage.hear('a', 20);
    stage.input('a', { type: 'speculate', utteranceId: 'u', speculationId: 1 });
    stage.hear('a', 4);
    await stage.rest();
    const [flush] = stage.vectors('a', 1);
    expect(flush).toMatchObject({ firstIndex: 14, count: LOOKAHEAD, last: true });
    stage.input('a', { type: 'rollback', utteranceId: 'u', speculationId: 1 });
    stage.hear('a', 6);
    stage.input('a', { type: 'end', utteranceId: 'u' });
    await stage.rest();
    expect(stage.heard('a')).toEqual(upTo(30));
  });

  it('committed ends the utterance: later audio of it is ignored', async () => {
    const stage = new Stage();
    stage.begin('a');
    stage.hear('a', 20);
    stage.input('a', { type: 'speculate', utteranceId: 'u', speculationId: 1 });
    stage.input('a', { type: 'commit', utteranceId: 'u', speculationId: 1 });
    stage.hear('a', 10);
    await stage.rest();
    expect(stage.heard('a')).toEqual(upTo(14));
    expect(stage.vectors('a', 1)).toHaveLength(1);
    expect(stage.engine.openStreams).toBe(0);
  });

  it('rolled back before its answer is never heard of', async () => {
    const stage = new Stage();
    stage.begin('a');
    stage.hear('a', 20);
    await stage.run(6);
    stage.input('a', { type: 'speculate', utteranceId: 'u', speculationId: 1 });
    await stage.run(2);
    stage.input('a', { type: 'rollback', utteranceId: 'u', speculationId: 1 });
    await stage.rest();
    expect(stage.vectors('a', 1)).toEqual([]);
  });
});

describe('the batch', () => {
  it('takes one item of every session that has audio', async () => {
    const stage = new Stage();
    const sessions = ['a', 'b', 'c', 'd'];
    for (const session of sessions) {
      stage.begin(session);
      stage.hear(session, 1);
    }
    await stage.run(1);
    for (let i = 0; i < 8; i++) for (const session of sessions) stage.hear(session, 1);
    await stage.rest();
    expect(stage.batches.map(batch => batch.length)).toEqual([1, 4]);
    for (const session of sessions) expect(stage.heard(session)).toEqual(upTo(3));
  });

  it('waits for audio that completes a vector, which comes no later for it', async () => {
    const [packets, PACKET] = [100, 320];
    const outputsOf = async (firstAudioVectorMs?: number) => {
      const stage = new Stage({ firstAudioVectorMs });
      stage.begin('a');
      for (let n = 0; n < packets; n++) {
        stage.input('a', { type: 'audio', utteranceId: 'u', samples: new Float32Array(PACKET) });
        await stage.run(20);
      }
      return { stage, outputs: stage.outputs };
    };
    const [each, whole] = [await outputsOf(), await outputsOf(80)];
    expect(each.outputs.length).toBeGreaterThan(10);
    expect(whole.outputs).toEqual(each.outputs);
    expect(each.stage.batches.length).toBe(packets);
    expect(whole.stage.batches.length).toBe(packets / 4);
  });

  it('serves everybody in turn when it is too small for all', async () => {
    const stage = new Stage({}, 2);
    const sessions = ['a', 'b', 'c', 'd', 'e'];
    for (const session of sessions) {
      stage.begin(session);
      stage.hear(session, 10);
      stage.input(session, { type: 'end', utteranceId: 'u' });
    }
    await stage.rest();
    for (const session of sessions) expect(stage.heard(session)).toEqual(upTo(10));
  });

  it('serves whoever was served longest ago, however soon the other has more', async () => {
    const stage = new Stage({}, 1);
    for (const session of ['a', 'b']) stage.begin(session);
    for (const session of ['a', 'a', 'b']) stage.hear(session, 10);
    await stage.rest();
    const [first, second, third] = stage.batches.map(([{ stream }]) => stream);
    expect(second).not.toBe(first);
    expect(third).toBe(first);
  });
});

describe('when the engine fails', () => {
  it.each([0, 1, 2, 3])('at step %i, the utterance is encoded again and nothing is said twice', async nth => {
    const stage = new Stage({ fails: (_, step) => step === nth });
    for (const session of ['a', 'b']) stage.begin(session);
    for (let i = 0; i < 5; i++) {
      for (const session of ['a', 'b']) stage.hear(session, 4);
      await stage.run(12);
    }
    for (const session of ['a', 'b'])
      stage.input(session, { type: 'speculate', utteranceId: 'u', speculationId: 1 });
    await stage.rest();
    for (const session of ['a', 'b']) {
      expect(stage.heard(session)).toEqual(upTo(14));
      expect(stage.vectors(session, 1)).toMatchObject([{ firstIndex: 14, count: 6 }]);
    }
  });

  it('for ever, the utterance fails with a readable error and holds no stream', async () => {
    const stage = new Stage({ fails: () => true });
    stage.begin('a');
    stage.hear('a', 4);
    await stage.rest();
    expect(stage.of('a')).toMatchObject([{ type: 'failed', utteranceId: 'u', code: 'engine.failed' }]);
    expect(stage.engine.openStreams).toBe(0);
  });
});

describe('in any order of events', () => {
  const moves = fc.array(
    fc.tuple(
      fc.constantFrom('a', 'b'),
      fc.constantFrom('hear', 'hear', 'speculate', 'rollback', 'run'),
      fc.nat({ max: 9 }),
    ),
    { maxLength: 50 },
  );

  it('an utterance that is finally ended gives each of its vectors once, in order', async () => {
    const known = fc.constantFrom(undefined, 80);
    await fc.assert(
      fc.asyncProperty(moves, fc.nat({ max: 20 }), known, async (script, nth, firstAudioVectorMs) => {
        const stage = new Stage({ firstAudioVectorMs, fails: (_, step) => step % 21 === nth });
        const total = { a: 0, b: 0 };
        stage.begin('a');
        stage.begin('b');
        for (const [session, move, n] of script as ['a' | 'b', string, number][]) {
          if (move === 'hear') {
            stage.hear(session, n);
            total[session] += n;
          } else if (move === 'run') await stage.run(n);
          else
            stage.input(session, {
              type: move as 'speculate' | 'rollback',
              utteranceId: 'u',
              speculationId: 1,
            });
        }
        stage.input('a', { type: 'end', utteranceId: 'u' });
        stage.input('b', { type: 'end', utteranceId: 'u' });
        await stage.rest();
        expect(stage.heard('a')).toEqual(upTo(total.a));
        expect(stage.heard('b')).toEqual(upTo(total.b));
        expect(stage.engine.openStreams).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});
