/**
 * What the session's books say of unheard sound is what the encoder has yet to take in, in whatever order copies come
 * and go.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AudioEncoderInput } from '../../actors/audio-encoder/index.ts';
import { Utterance } from '../../actors/audio-encoder/utterance.ts';
import { UserSound } from '../../actors/session/user-sound.ts';
import { zeroLatencyEngine } from '../support/zero-latency-engine.ts';

const SECOND = 16_000;
const ITEM = 'item_1';

/**
 * A turn's sound, and an encoder's utterance that is told the same and never answered: what it may be fed is what is
 * unheard.
 */
function pair() {
  const { audioEncoder, model } = zeroLatencyEngine();
  const address = { session: 's', turn: 1, epoch: 0 };
  const utterance = new Utterance(ITEM, address, audioEncoder, model, () => {});
  const sound = new UserSound(ITEM, 1280, (input: AudioEncoderInput) => {
    if (input.type === 'audio') utterance.push(address, input.samples);
    else if (input.type === 'speculate') utterance.speculate(address, input.speculationId);
    else if (input.type === 'rollback') utterance.rollback(input.speculationId);
  });
  return {
    sound,
    hear: (samples: number) => sound.push(new Float32Array(samples)),
    /** A copy was finished, or the turn was, and nothing new was heard. */
    answer: (speculationId: number | null) => {
      const nothing = { vectors: new Float32Array(0), count: 0, firstIndex: 0, captions: [] };
      sound.answered({ type: 'vectors', utteranceId: ITEM, speculationId, ...nothing, last: true });
    },
    /** Samples that the utterance's plan would feed in one go. */
    wanted: () => {
      const plan = utterance.wantsStep ? utterance.plan() : null;
      return plan && !plan.work.finish ? plan.work.samples.length : 0;
    },
  };
}

describe('unheard sound', () => {
  it('is not more for the rollback of a copy that another has replaced', () => {
    const { sound, hear } = pair();
    hear(SECOND);
    sound.copy(1);
    hear(SECOND);
    sound.copy(2);
    sound.rollback(1);
    hear(SECOND);
    expect(sound.unheardSamples).toBe(2 * SECOND);
    sound.rollback(2);
    expect(sound.unheardSamples).toBe(3 * SECOND);
  });

  it('is what the encoder would be fed, whatever is copied and rolled back', () => {
    const step = fc.oneof(
      fc.record({ type: fc.constant('audio' as const), n: fc.integer({ min: 1, max: 4000 }) }),
      fc.record({
        type: fc.constantFrom('copy' as const, 'rollback' as const),
        n: fc.integer({ min: 1, max: 4 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        const { sound, hear, wanted } = pair();
        for (const { type, n } of steps) {
          if (type === 'audio') hear(n);
          else sound[type](n);
        }
        expect(sound.unheardSamples).toBe(wanted());
      }),
    );
  });

  it('is none when the encoder owes nothing more', () => {
    const committed = (answersFirst: boolean) => {
      const { sound, hear, answer } = pair();
      hear(SECOND);
      sound.copy(1);
      if (answersFirst) answer(1);
      sound.commit(1);
      const before = sound.unheardSamples;
      answer(1);
      return [before, sound.unheardSamples];
    };
    expect(committed(true)).toEqual([0, 0]);
    expect(committed(false)).toEqual([SECOND, 0]);
    const { sound, hear, answer } = pair();
    hear(SECOND);
    sound.copy(1);
    answer(1);
    sound.end();
    expect(sound.unheardSamples).toBe(SECOND);
    answer(null);
    expect(sound.unheardSamples).toBe(0);
    const dropped = pair();
    dropped.hear(SECOND);
    dropped.sound.discard();
    expect(dropped.sound.unheardSamples).toBe(0);
  });
});
