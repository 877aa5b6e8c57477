/** What the queue says of unheard sound is what the encoder has yet to take in, in whatever order speculations come and go. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AudioEncoderInput } from '../../actors/audio-encoder/index.ts';
import { Utterance } from '../../actors/audio-encoder/utterance.ts';
import { UtteranceQueue } from '../../actors/session/utterance-queue.ts';
import { zeroLatencyEngine } from '../support/zero-latency-engine.ts';

const SECOND = 16_000;
const utteranceId = 'item_1';

/** The queue, and an encoder's utterance that is told the same and never answered: what it may be fed is what is unheard. */
function pair() {
  const { audioEncoder } = zeroLatencyEngine();
  const address = { session: 's', turn: 1, epoch: 0 };
  const utterance = new Utterance(utteranceId, address, audioEncoder, 8, () => {});
  const queue = new UtteranceQueue((input: AudioEncoderInput) => {
    if (input.type === 'audio') utterance.push(address, input.samples);
    else if (input.type === 'speculate') utterance.speculate(address, input.speculationId);
    else if (input.type === 'rollback') utterance.rollback(input.speculationId);
  }, 1280);
  queue.send({ type: 'begin', utteranceId });
  /** Samples that the utterance's plan would feed in one go. */
  const wanted = () => {
    const plan = utterance.wantsStep ? utterance.plan() : null;
    return plan && !plan.work.finish ? plan.work.samples.length : 0;
  };
  return { queue, utterance, wanted };
}

describe('unheard sound', () => {
  it('is not more for the rollback of a speculation that another has replaced', () => {
    const { queue } = pair();
    const audio = () => queue.send({ type: 'audio', utteranceId, samples: new Float32Array(SECOND) });
    audio();
    queue.send({ type: 'speculate', utteranceId, speculationId: 1 });
    audio();
    queue.send({ type: 'speculate', utteranceId, speculationId: 2 });
    queue.send({ type: 'rollback', utteranceId, speculationId: 1 });
    audio();
    expect(queue.unheardSamples).toBe(2 * SECOND);
    queue.send({ type: 'rollback', utteranceId, speculationId: 2 });
    expect(queue.unheardSamples).toBe(3 * SECOND);
  });

  it('is what the encoder would be fed, whatever is speculated and rolled back', () => {
    const step = fc.oneof(
      fc.record({ type: fc.constant('audio' as const), samples: fc.integer({ min: 1, max: 4000 }) }),
      fc.record({
        type: fc.constantFrom('speculate' as const, 'rollback' as const),
        speculationId: fc.integer({ min: 1, max: 4 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        const { queue, wanted } = pair();
        for (const one of steps) {
          if (one.type === 'audio') {
            queue.send({ type: 'audio', utteranceId, samples: new Float32Array(one.samples) });
          } else queue.send({ ...one, utteranceId });
        }
        expect(queue.unheardSamples).toBe(wanted());
      }),
    );
  });
});
