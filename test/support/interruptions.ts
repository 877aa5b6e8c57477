/** People who interrupt at random moments, over any transport, and what the model is left with afterwards. */
import { integer, type Random } from '../../actors/core/index.ts';
import { packet, type SessionRig } from './session-rig.ts';
import type { ScriptedSegment } from './zero-latency-engine.ts';

const TICK_MS = 100;
const FRAME_MS = 60;
/** A brisk conversation: more interruptions in the same time. */
export const BRISK = {
  mode: 'vad',
  threshold: 0.5,
  prefixPaddingMs: 100,
  endpointSilenceMs: 240,
  speculateSilenceMs: 120,
  createResponse: true,
  interruptResponse: true,
} as const;

/** One word a segment (the engine needs a step for each character), so that the end of each word's sound is known exactly. */
export const SCRIPT: readonly ScriptedSegment[] = [
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

/** A transport and the person at its far end, who may stop listening to what still waits there. */
export interface Line {
  readonly sessionId: string;
  /** 100 ms of this person, 16 kHz. */
  push(samples: Float32Array): void;
  /** Told at the time at which it reaches the person. */
  onHeard: (what: LineEvent) => void;
}

export type LineEvent =
  | { readonly type: 'created' }
  /** The next reply is being said: the cache holds everything before it. */
  | { readonly type: 'text' }
  /** The rest of what was sent is thrown away; `heardMs` of the item reached the ear. */
  | { readonly type: 'cleared'; readonly itemId: string; readonly heardMs: number }
  /** The runtime's word on what was heard; `text` where the transport tells it. */
  | {
      readonly type: 'truncated';
      readonly itemId: string;
      readonly audioEndMs: number;
      readonly text?: string;
    }
  | { readonly type: 'error'; readonly details: unknown };

/** What the person at the far end hears: its own queue, in order of arrival, until it is told to throw it away. */
export class Ear {
  readonly #sounds: { readonly itemId: string; readonly startMs: number; readonly lengthMs: number }[] = [];
  #busyUntilMs = 0;

  /** Plays no earlier than `fromMs`. */
  hears(itemId: string, samples: number, fromMs: number): void {
    const startMs = Math.max(fromMs, this.#busyUntilMs);
    const lengthMs = samples / 24;
    this.#sounds.push({ itemId, startMs, lengthMs });
    this.#busyUntilMs = startMs + lengthMs;
  }

  heardMs(itemId: string, nowMs: number): number {
    const ofItem = this.#sounds.filter(sound => sound.itemId === itemId);
    const heard = ofItem.map(({ startMs, lengthMs }) => Math.min(lengthMs, Math.max(0, nowMs - startMs)));
    return heard.reduce((sum, ms) => sum + ms, 0);
  }

  /** What is being heard or waits to be. */
  playing(nowMs: number): string | null {
    return this.#sounds.find(({ startMs, lengthMs }) => startMs + lengthMs > nowMs)?.itemId ?? null;
  }

  /** Milliseconds of the item heard until now; everything else is thrown away. */
  clear(itemId: string, nowMs: number): number {
    const heardMs = this.heardMs(itemId, nowMs);
    this.#sounds.length = 0;
    this.#busyUntilMs = nowMs;
    return heardMs;
  }
}

export interface Finding {
  readonly what: string;
  readonly session: string;
  readonly details: unknown;
}

/** Talks, listens for a random while, interrupts, again and again; checks what the model is left with. */
export class Interrupter {
  interruptions = 0;
  maxErrorMs = 0;
  readonly findings: Finding[] = [];
  readonly #rig: SessionRig;
  readonly #random: Random;
  readonly #line: Line;
  readonly #instructions: string;
  /** The line may be this wrong about what was heard, ms, for jitter that nobody can know. */
  readonly #slackMs: number;
  #speakFromMs: number;
  #speakUntilMs: number;
  #heard: { readonly itemId: string; readonly heardMs: number } | null = null;
  #checked = '';
  #truncated: Extract<LineEvent, { type: 'truncated' }> | null = null;

  constructor(rig: SessionRig, random: Random, line: Line, instructions: string, slackMs: number) {
    this.#rig = rig;
    this.#random = random;
    this.#line = line;
    this.#instructions = instructions;
    this.#slackMs = slackMs;
    this.#speakFromMs = integer(random, 1000);
    this.#speakUntilMs = this.#speakFromMs + 500;
    line.onHeard = event => this.#on(event);
  }

  tick(): void {
    const nowMs = this.#rig.clock.nowMs();
    this.#line.push(packet(nowMs >= this.#speakFromMs && nowMs < this.#speakUntilMs, TICK_MS));
  }

  #on(event: LineEvent): void {
    const nowMs = this.#rig.clock.nowMs();
    if (event.type === 'text') this.#check();
    else if (event.type === 'created') {
      this.#speakFromMs = nowMs + integer(this.#random, WORD_END_MS[WORD_END_MS.length - 1] + 200);
      this.#speakUntilMs = this.#speakFromMs + 300 + integer(this.#random, 300);
    } else if (event.type === 'cleared') this.#heard = event;
    else if (event.type === 'truncated') this.#truncated = event;
    else this.#find('error', event.details);
  }

  /** Of the last interruption, when the next reply is being said. */
  #check(): void {
    const [heard, truncated] = [this.#heard, this.#truncated];
    this.#heard = null;
    this.#truncated = null;
    // A client's own word may come when the next reply has begun already.
    if (!truncated || truncated.itemId === this.#checked) return;
    this.#checked = truncated.itemId;
    this.interruptions += 1;
    if (heard?.itemId !== truncated.itemId) {
      this.#find('truncated an item that was not cleared', { truncated, heard });
      return;
    }
    const errorMs = Math.abs(truncated.audioEndMs - heard.heardMs);
    this.maxErrorMs = Math.max(this.maxErrorMs, errorMs);
    if (errorMs > 20) this.#find('heard error', { truncated, heard });
    const { text } = truncated;
    if (text !== undefined && !this.#mayBe(text, heard.heardMs)) this.#find('item text', { text, heard });
    this.#checkContext(heard.heardMs);
  }

  /** The last reply in the model's cache says what was heard, is closed, and the next user turn follows. */
  #checkContext(heardMs: number): void {
    const cache = this.#rig.contextOf(`SYSTEM:${this.#instructions}`);
    const turns = cache.split('USER:').slice(1);
    // The turn that is being answered may or may not have its own header yet.
    const interrupted = turns[turns.length - 2] ?? '';
    const reply = interrupted.split('ASSISTANT:')[1];
    const said = (reply ?? '').replaceAll(/<\/pause>|<\/longcat_s>|\n/g, '').trim();
    if (!this.#mayBe(said, heardMs)) this.#find('unheard words in the context', { heardMs, said });
    if (reply !== undefined && !reply.endsWith('</longcat_s>\n'))
      this.#find('the cut reply is not closed', { reply });
  }

  /** Never a word that was not heard to its end; one that ended within the slack may be missing. */
  #mayBe(text: string, heardMs: number): boolean {
    return text === expectedText(heardMs) || text === expectedText(heardMs - this.#slackMs);
  }

  #find(what: string, details: unknown): void {
    this.findings.push({ what, session: this.#line.sessionId, details });
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

/** Lets the people talk until they have interrupted so often; gives up after a second of theirs for each interruption. */
export async function interrupt(rig: SessionRig, people: readonly Interrupter[], wanted: number) {
  const total = () => people.reduce((sum, { interruptions }) => sum + interruptions, 0);
  while (total() < wanted && rig.clock.nowMs() <= wanted * 1000) {
    await rig.clock.runFor(TICK_MS);
    for (const person of people) person.tick();
  }
  return {
    interruptions: total(),
    findings: people.flatMap(({ findings }) => findings).slice(0, 3),
    maxErrorMs: Math.max(...people.map(({ maxErrorMs }) => maxErrorMs)),
    ended: people.length - rig.runtime.sessions.size,
  };
}
