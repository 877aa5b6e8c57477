import { describe, expect, it } from 'vitest';
import { createRandom, integer, type Random } from '../../actors/core/index.ts';
import type { Session, SessionEvent, SessionSettings } from '../../actors/index.ts';
import { packet, SessionRig } from '../support/session-rig.ts';
import type { ScriptedSegment } from '../support/zero-latency-engine.ts';

/** A share of the ten thousand, so that the suite stays quick; INTERRUPTIONS=10000 (or more) for all of them. */
const WANTED = Number(process.env.INTERRUPTIONS ?? 2000);
const SESSIONS = 100;
const TICK_MS = 100;
const FRAME_MS = 60;
/** A brisk conversation: more interruptions in the same time. */
const TURN_DETECTION = {
  mode: 'vad',
  threshold: 0.5,
  prefixPaddingMs: 100,
  endpointSilenceMs: 240,
  speculateSilenceMs: 120,
  createResponse: true,
  interruptResponse: true,
} as const;

/** One word a segment (the engine needs a step for each character), so that the end of each word's sound is known exactly. */
const SCRIPT: readonly ScriptedSegment[] = [
  'one, ',
  'two, ',
  'three, ',
  'four, ',
  'five, ',
  'six, ',
  'seven.',
].map((text, i) => ({ text, frames: text.length + 1 + ((i * 5) % 4) }));
const WORD_END_MS = SCRIPT.map((_, i) =>
  SCRIPT.slice(0, i + 1).reduce((sum, { frames }) => sum + frames * FRAME_MS, 0),
);

/** What the person at the far end hears: its own queue, in order of arrival, until it is told to throw it away. */
class Ear {
  readonly #sounds: { readonly itemId: string; readonly startMs: number; readonly lengthMs: number }[] = [];
  #busyUntilMs = 0;

  hears(itemId: string, samples: number, nowMs: number): void {
    const startMs = Math.max(nowMs, this.#busyUntilMs);
    const lengthMs = samples / 24;
    this.#sounds.push({ itemId, startMs, lengthMs });
    this.#busyUntilMs = startMs + lengthMs;
  }

  /** Milliseconds of the item heard until now; everything else is thrown away. */
  clear(itemId: string, nowMs: number): number {
    const ofItem = this.#sounds.filter(sound => sound.itemId === itemId);
    const heard = ofItem.map(({ startMs, lengthMs }) => Math.min(lengthMs, Math.max(0, nowMs - startMs)));
    this.#sounds.length = 0;
    this.#busyUntilMs = nowMs;
    return heard.reduce((sum, ms) => sum + ms, 0);
  }
}

interface Finding {
  readonly what: string;
  readonly session: string;
  readonly details: unknown;
}

/** Talks, listens for a random while, interrupts, again and again; checks what the model is left with. */
class Interrupter {
  interruptions = 0;
  maxErrorMs = 0;
  readonly findings: Finding[] = [];
  readonly #rig: SessionRig;
  readonly #random: Random;
  readonly #session: Session;
  readonly #ear = new Ear();
  #speakFromMs: number;
  #speakUntilMs: number;
  /** The interruption whose effect on the context is to be checked when the next reply is asked for. */
  #toCheck: { readonly heardMs: number } | null = null;
  #heard: { readonly itemId: string; readonly ms: number } | null = null;

  constructor(rig: SessionRig, random: Random, settings: Partial<SessionSettings>, name: string) {
    this.#rig = rig;
    this.#random = random;
    this.#speakFromMs = integer(random, 1000);
    this.#speakUntilMs = this.#speakFromMs + 500;
    this.#session = rig.runtime.openSession(
      { turnDetection: TURN_DETECTION, ...settings, instructions: `${name}.` },
      name,
    );
    this.#session.events$.subscribe(event => this.#on(event));
  }

  tick(): void {
    const nowMs = this.#rig.clock.nowMs();
    this.#session.pushAudio(packet(nowMs >= this.#speakFromMs && nowMs < this.#speakUntilMs, TICK_MS));
  }

  #on(event: SessionEvent): void {
    const nowMs = this.#rig.clock.nowMs();
    if (event.type === 'response.text' && this.#toCheck) {
      // The next reply is being said, so the cache holds everything before it.
      this.#checkContext(this.#toCheck.heardMs);
      this.#toCheck = null;
    }
    if (event.type === 'response.created') {
      this.#speakFromMs = nowMs + integer(this.#random, WORD_END_MS[WORD_END_MS.length - 1] + 200);
      this.#speakUntilMs = this.#speakFromMs + 300 + integer(this.#random, 300);
    } else if (event.type === 'response.audio') this.#ear.hears(event.itemId, event.samples.length, nowMs);
    else if (event.type === 'playout.clear') {
      this.#heard = { itemId: event.itemId!, ms: this.#ear.clear(event.itemId!, nowMs) };
    } else if (event.type === 'item.truncated') this.#checkHeard(event);
    else if (event.type === 'error') this.#find(event.code, event);
  }

  #checkHeard({ itemId, audioEndMs, text }: Extract<SessionEvent, { type: 'item.truncated' }>): void {
    this.interruptions += 1;
    this.#toCheck = null;
    const heard = this.#heard;
    if (heard?.itemId !== itemId) {
      this.#find('truncated an item that was not cleared', { itemId, heard });
      return;
    }
    const errorMs = Math.abs(audioEndMs - heard.ms);
    this.maxErrorMs = Math.max(this.maxErrorMs, errorMs);
    if (errorMs > 20) this.#find('heard error', { audioEndMs, heard });
    if (text !== expectedText(heard.ms)) this.#find('item text', { text, heard });
    this.#toCheck = { heardMs: heard.ms };
  }

  /** The last reply in the model's cache says what was heard, is closed, and the next user turn follows. */
  #checkContext(heardMs: number): void {
    const cache = this.#rig.contextOf(`SYSTEM:${this.#session.id}.`);
    const turns = cache.split('USER:').slice(1);
    // The turn that is being answered may or may not have its own header yet.
    const interrupted = turns[turns.length - 2] ?? '';
    const reply = interrupted.split('ASSISTANT:')[1];
    const said = (reply ?? '').replaceAll(/<\/pause>|<\/longcat_s>|\n/g, '').trim();
    if (said !== expectedText(heardMs)) this.#find('unheard words in the context', { heardMs, said });
    if (reply !== undefined && !reply.endsWith('</longcat_s>\n'))
      this.#find('the cut reply is not closed', { reply });
  }

  #find(what: string, details: unknown): void {
    this.findings.push({ what, session: this.#session.id, details });
  }
}

/** All words whose sound was heard to its end, none other. */
function expectedText(heardMs: number): string {
  const words = WORD_END_MS.filter(endMs => endMs <= heardMs + 0.5).length;
  return SCRIPT.slice(0, words)
    .map(({ text }) => text)
    .join('')
    .trim();
}

async function interrupt(wanted: number, settings: Partial<SessionSettings>, stepMs: number) {
  const rig = new SessionRig({
    replies: [SCRIPT],
    maxPositions: 1500,
    costs: { languageModel: () => stepMs },
    limits: { maxSessions: SESSIONS, maxBatch: SESSIONS, prefillTokenBudget: 100_000 },
  });
  const random = createRandom(`interruptions ${stepMs} ${JSON.stringify(settings)}`);
  const people = Array.from({ length: SESSIONS }, (_, i) => {
    const name = `s${String(i).padStart(3, '0')}`;
    return new Interrupter(rig, random.split(name), settings, name);
  });
  const total = () => people.reduce((sum, { interruptions }) => sum + interruptions, 0);
  while (total() < wanted) {
    await rig.clock.runFor(TICK_MS);
    for (const person of people) person.tick();
    if (rig.clock.nowMs() > wanted * 1000) break;
  }
  return {
    interruptions: total(),
    findings: people.flatMap(({ findings }) => findings),
    maxErrorMs: Math.max(...people.map(({ maxErrorMs }) => maxErrorMs)),
    ended: SESSIONS - rig.runtime.sessions.size,
  };
}

describe(`${WANTED} random interruptions`, () => {
  it.each([
    ['as fast as the engine answers, in bursts', { delivery: { mode: 'burst' } }, 0],
    ['while the model still speaks, in bursts', { delivery: { mode: 'burst' } }, 45],
    ['paced 40 ms ahead, cut at words', { delivery: { mode: 'paced', leadMs: 40 }, truncateAt: 'word' }, 0],
    ['paced 60 ms ahead, from a slow model', { delivery: { mode: 'paced', leadMs: 60 } }, 30],
  ] as [string, Partial<SessionSettings>, number][])(
    'leave no unheard word in the context and know what was heard to 20 ms: %s',
    async (_name, settings, stepMs) => {
      const wanted = Math.ceil(WANTED / 4);
      const { interruptions, findings, maxErrorMs, ended } = await interrupt(wanted, settings, stepMs);
      expect(findings.slice(0, 3)).toEqual([]);
      expect(interruptions).toBeGreaterThanOrEqual(wanted);
      expect(maxErrorMs).toBeLessThanOrEqual(20);
      expect(ended).toBe(0);
    },
    600_000,
  );
});
