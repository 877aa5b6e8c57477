/**
 * A spoken conversation in virtual time, and everything that its language model was fed: what two engines are compared
 * by.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { createRandom, engineOnClock, engineWithSteps, VirtualClock } from '../../actors/core/index.ts';
import { createRuntime, type Session, type SessionEvent } from '../../actors/index.ts';
import type { Engine, LanguageModelAnswer, LanguageModelWork } from '../../kernels/engine/index.ts';
import { pushAudio } from './told.ts';

const FRAME = 320;
const silence = (ms: number) => new Float32Array(ms * 16);

/** 16 kHz PCM16 with a header of 44 bytes. */
function clip(name: string): Float32Array {
  const file = readFileSync(new URL(`../fixtures/talk/${name}.wav`, import.meta.url));
  return Float32Array.from(
    { length: (file.length - 44) / 2 },
    (_, i) => file.readInt16LE(44 + 2 * i) / 32_768,
  );
}

const COUNT = clip('count-to-ten');
const WHERE = clip('where-stopped');

export interface Told {
  /** What the language model was fed, step by step: every id, code and vector. */
  readonly fed: LanguageModelWork['positions'][];
  readonly events: SessionEvent[];
}

export const STEP_MS = 40;
export const PREFILL_MS = 25;

/**
 * The same engine, and what its language model was fed. What it knows of a user who has not finished is kept from the
 * session; the server, whose clock stands still here, is said to have taken some time over the context.
 */
function watched(engine: Engine, fed: Told['fed']): Engine {
  return engineWithSteps(engine, async (component, batch, step) => {
    const answers = await step(batch);
    if (component !== 'languageModel') return answers;
    for (const { positions } of batch as readonly LanguageModelWork[])
      fed.push({ ...positions, textIds: positions.textIds.slice(), codes: positions.codes.slice() });
    for (const answer of answers as (LanguageModelAnswer | null)[])
      if (answer?.sampled) {
        const { handover } = answer.sampled;
        const given = handover && { handover: { ...handover, prefillMs: PREFILL_MS } };
        Object.assign(answer.sampled, { waitProbability: null, ...given });
      }
    return answers;
  });
}

/** A caller who pauses, asks, interrupts the answer, and asks again. */
export async function conversation(engine: Engine): Promise<Told> {
  const clock = new VirtualClock();
  const told: Told = { fed: [], events: [] };
  const costs = {
    languageModel: (batch: readonly LanguageModelWork[]) =>
      batch.some(({ sample }) => sample) ? STEP_MS : 0,
  };
  const runtime = createRuntime({
    engine: watched(engineOnClock(engine, clock, costs), told.fed),
    clock,
    random: createRandom(1),
  });
  const session = runtime.openSession({ delivery: { mode: 'paced', leadMs: 20 } });
  session.events$.subscribe(event => told.events.push(event));
  const count = (type: SessionEvent['type']) => told.events.filter(event => event.type === type).length;
  const push = (samples: Float32Array) => pushed(session, clock, samples);
  const until = async (type: SessionEvent['type'], wanted: number) => {
    for (let ms = 0; ms < 20_000 && count(type) < wanted; ms += 20) await push(silence(20));
    expect(count(type)).toBeGreaterThanOrEqual(wanted);
  };
  await push(silence(400));
  await push(COUNT.subarray(0, COUNT.length / 2));
  await push(silence(440));
  await push(COUNT.subarray(COUNT.length / 2));
  await until('response.audio', 1);
  await push(silence(2000));
  await push(WHERE);
  await until('response.done', 2);
  await runtime.close();
  return told;
}

async function pushed(session: Session, clock: VirtualClock, samples: Float32Array): Promise<void> {
  for (let at = 0; at + FRAME <= samples.length; at += FRAME) {
    pushAudio(session, samples.slice(at, at + FRAME));
    await clock.runFor(20);
  }
}
