import { describe, expect, it } from 'vitest';
import { createRandom, integer, type Random } from '../../actors/core/index.ts';
import type { Session, SessionEvent, SessionSettings } from '../../actors/index.ts';
import {
  BRISK,
  Ear,
  Interrupter,
  interrupt,
  type Line,
  type LineEvent,
  SCRIPTS,
} from '../support/interruptions.ts';
import { SessionRig } from '../support/session-rig.ts';
import { pushAudio, reportHeard } from '../support/told.ts';

/**
 * A share of the hundred thousand, so that the suite stays quick. All of them, over every transport (two files, two
 * cores): INTERRUPTIONS=100000 npx vitest run interruptions
 */
const WANTED = Number(process.env.INTERRUPTIONS ?? 1500);
const SESSIONS = 100;

/** In the same process: heard as soon as it is sent. */
class DirectLine implements Line {
  readonly sessionId: string;
  onHeard: (what: LineEvent) => void = () => {};
  protected readonly rig: SessionRig;
  protected readonly session: Session;
  protected readonly ear = new Ear();

  constructor(rig: SessionRig, settings: Partial<SessionSettings>, name: string) {
    this.rig = rig;
    this.sessionId = name;
    const all = { turnDetection: BRISK, ...settings, instructions: `${name}.` };
    this.session = rig.runtime.openSession(all, { id: name });
    this.session.events$.subscribe(event => this.on(event));
  }

  push(samples: Float32Array): void {
    pushAudio(this.session, samples);
  }

  protected on(event: SessionEvent): void {
    const nowMs = this.rig.clock.nowMs();
    if (event.type === 'response.text') this.onHeard({ ...event, type: 'text' });
    else if (event.type === 'response.created') this.onHeard({ type: 'created' });
    else if (event.type === 'response.audio') this.ear.hears(event.itemId, event.samples.length, nowMs);
    else if (event.type === 'item.truncated') this.onHeard({ ...event, type: 'truncated' });
    else if (event.type === 'error') this.onHeard({ type: 'error', details: event });
    else if (event.type === 'playout.clear' && event.itemId) {
      const { itemId } = event;
      this.onHeard({ type: 'cleared', itemId, heardMs: this.ear.clear(itemId, nowMs) });
    }
  }
}

/**
 * A carrier: its queue plays 40–200 ms after the sound arrives, it throws the rest away when told, and its marks tell
 * how much was played, on time or late.
 */
class CarrierLine extends DirectLine {
  readonly #queueMs: number;
  readonly #random: Random;
  #itemId: string | null = null;

  constructor(rig: SessionRig, settings: Partial<SessionSettings>, name: string, random: Random) {
    super(rig, settings, name);
    this.#queueMs = 40 + integer(random, 160);
    this.#random = random;
    this.#mark();
  }

  protected override on(event: SessionEvent): void {
    const nowMs = this.rig.clock.nowMs();
    if (event.type === 'response.audio') {
      this.#itemId = event.itemId;
      this.ear.hears(event.itemId, event.samples.length, nowMs + this.#queueMs);
    } else if (event.type === 'playout.clear' && event.itemId) {
      const { itemId } = event;
      const heardMs = this.ear.clear(itemId, nowMs);
      this.#itemId = null;
      this.onHeard({ type: 'cleared', itemId, heardMs });
      this.#report(itemId, heardMs, integer(this.#random, 200));
    } else super.on(event);
  }

  #mark(): void {
    this.rig.clock.setTimer(60, () => {
      if (this.#itemId) {
        const heardMs = this.ear.heardMs(this.#itemId, this.rig.clock.nowMs());
        this.#report(this.#itemId, heardMs, integer(this.#random, 15));
      }
      this.#mark();
    });
  }

  #report(itemId: string, heardMs: number, lateMs: number): void {
    const samples = Math.floor(heardMs * 24);
    this.rig.clock.setTimer(lateMs, () => reportHeard(this.session, itemId, samples));
  }
}

async function interruptions(
  wanted: number,
  settings: Partial<SessionSettings>,
  stepMs: number,
  carrier: boolean,
) {
  const rig = new SessionRig({
    replies: SCRIPTS,
    maxPositions: 1500,
    costs: { languageModel: () => stepMs },
    limits: { maxSessions: SESSIONS, maxBatch: SESSIONS, prefillTokenBudget: 100_000 },
  });
  const random = createRandom(`interruptions ${stepMs} ${carrier} ${JSON.stringify(settings)}`);
  const people = Array.from({ length: SESSIONS }, (_, i) => {
    const name = `s${String(i).padStart(3, '0')}`;
    const own = random.split(name);
    const line = carrier ? new CarrierLine(rig, settings, name, own) : new DirectLine(rig, settings, name);
    return new Interrupter(rig, own, line, `${name}.`, carrier ? 20 : 0);
  });
  return interrupt(rig, people, wanted);
}

describe(`${WANTED} random interruptions`, () => {
  it.each([
    ['as fast as the engine answers, in bursts', { delivery: { mode: 'burst' } }, 0, false],
    ['while the model still speaks, in bursts', { delivery: { mode: 'burst' } }, 45, false],
    [
      'paced 40 ms ahead, cut at words',
      { delivery: { mode: 'paced', leadMs: 40 }, truncateAt: 'word' },
      0,
      false,
    ],
    ['paced 60 ms ahead, from a slow model', { delivery: { mode: 'paced', leadMs: 60 } }, 30, false],
    [
      'by a carrier with a queue, whose marks are late',
      { delivery: { mode: 'paced', leadMs: 100 } },
      0,
      true,
    ],
  ] as [string, Partial<SessionSettings>, number, boolean][])(
    'leave no unheard word in the context and know what was heard to 20 ms: %s',
    async (_name, settings, stepMs, carrier) => {
      const wanted = Math.ceil((WANTED * 7) / 40);
      const { interruptions: done, ...left } = await interruptions(wanted, settings, stepMs, carrier);
      expect(left).toEqual({ findings: [], ended: 0, maxErrorMs: expect.any(Number) });
      expect(left.maxErrorMs).toBeLessThanOrEqual(20);
      expect(done).toBeGreaterThanOrEqual(wanted);
    },
    3_600_000,
  );
});
