import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { createRandom, engineOnClock, VirtualClock } from '../../actors/core/index.ts';
import { createRuntime, type Session, type SessionEvent } from '../../actors/index.ts';
import { createEngine, type Engine, fastestEngine } from '../../kernels/engine/index.ts';
import { pushAudio } from '../support/told.ts';

/** nano itself, through the whole runtime: an interrupted count, and the question where it stopped. */
const MODEL = process.env.NANO ?? 'models/nano';
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
let nano: Engine | null = null;
const engine = async () => {
  nano ??= await createEngine({ kind: fastestEngine().kind, modelDirectory: MODEL });
  return nano;
};
afterAll(async () => nano?.close());

class Conversation {
  readonly events: SessionEvent[] = [];
  readonly #session: Session;
  readonly #clock: VirtualClock;

  constructor(session: Session, clock: VirtualClock) {
    this.#session = session;
    this.#clock = clock;
    session.events$.subscribe(event => this.events.push(event));
  }

  async push(samples: Float32Array): Promise<void> {
    for (let at = 0; at + FRAME <= samples.length; at += FRAME) {
      pushAudio(this.#session, samples.slice(at, at + FRAME));
      await this.#clock.runFor(20);
    }
  }

  async until(type: SessionEvent['type'], count: number): Promise<void> {
    for (let ms = 0; ms < 20_000 && this.#count(type) < count; ms += 20) await this.push(silence(20));
    expect(this.#count(type)).toBeGreaterThanOrEqual(count);
  }

  /** What the agent said in its nth reply. */
  said(reply: number): string {
    const ids = this.events.flatMap(event => (event.type === 'response.created' ? [event.itemId] : []));
    return this.events
      .flatMap(event => (event.type === 'response.text' && event.itemId === ids[reply] ? [event.delta] : []))
      .join('');
  }

  #count(type: SessionEvent['type']): number {
    return this.events.filter(event => event.type === type).length;
  }
}

async function interruptedAfter(heardMs: number): Promise<{ heard: string; answer: string }> {
  const clock = new VirtualClock();
  const runtime = createRuntime({
    engine: engineOnClock(await engine(), clock),
    clock,
    random: createRandom(1),
  });
  const session = runtime.openSession({ delivery: { mode: 'paced', leadMs: 20 } });
  const conversation = new Conversation(session, clock);
  await conversation.push(silence(400));
  await conversation.push(COUNT);
  await conversation.until('response.audio', 1);
  await conversation.push(silence(heardMs));
  await conversation.push(WHERE);
  await conversation.until('response.created', 2);
  await conversation.until('response.done', 2);
  const cut = conversation.events.find(event => event.type === 'item.truncated');
  const heard = cut?.type === 'item.truncated' ? cut.text : '';
  const answer = conversation.said(1);
  await runtime.close();
  return { heard, answer };
}

describe('a count that is interrupted by “what number did you stop at”', () => {
  it.each([1500, 2100, 2800, 3500])(
    'is answered with the number that was heard last, after %i ms',
    async ms => {
      const { heard, answer } = await interruptedAfter(ms);
      const last = heard
        .toLowerCase()
        .match(/[a-z]+/g)
        ?.at(-1);
      expect(last).toBeDefined();
      expect(answer.toLowerCase().match(/[a-z]+/g)).toContain(last);
    },
    60_000,
  );
});
