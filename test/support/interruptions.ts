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

/**
 * "One" in ten languages, each with a first letter of its own: by it a reply is found among its neighbours in the
 * cache.
 */
const ONES = ['one', 'uno', 'ein', 'bir', 'yek', 'jed', 'mot', 'isa', 'dan', 'kan'];
const OTHERS = ['two, ', 'three, ', 'four, ', 'five, ', 'six, ', 'seven.'];
/**
 * One word a segment (the engine needs a step for each character), so that the end of each word's sound is known
 * exactly.
 */
export const SCRIPTS: readonly (readonly ScriptedSegment[])[] = ONES.map(one =>
  [`${one}, `, ...OTHERS].map((text, i) => ({ text, frames: text.length + 1 + ((i * 5) % 4) })),
);
const WORD_END_MS = SCRIPTS[0].map((_, i) =>
  SCRIPTS[0].slice(0, i + 1).reduce((sum, { frames }) => sum + frames * FRAME_MS, 0),
);
/**
 * Turns at the end of the cache in which the last interrupted reply stands; the same first letter is ten replies away.
 */
const NEAR = 5;

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
  /** The reply is being said: the cache holds everything before it. */
  | { readonly type: 'text'; readonly itemId: string; readonly delta: string }
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
  /** First letter of each reply that was said. */
  readonly #letters = new Map<string, string>();
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
    if (event.type === 'text') {
      if (!this.#letters.has(event.itemId)) this.#letters.set(event.itemId, event.delta[0]);
      this.#check(event.itemId);
    } else if (event.type === 'created') {
      this.#speakFromMs = nowMs + integer(this.#random, WORD_END_MS[WORD_END_MS.length - 1] + 200);
      this.#speakUntilMs = this.#speakFromMs + 300 + integer(this.#random, 300);
    } else if (event.type === 'cleared') this.#heard = event;
    else if (event.type === 'truncated') this.#truncated = event;
    else this.#find('error', event.details);
  }

  /** Of the last interruption, when the next reply is being said. */
  #check(saidNow: string): void {
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
    const { text, itemId } = truncated;
    const letter = this.#letters.get(itemId);
    if (text !== undefined && !this.#mayBe(text, letter, heard.heardMs))
      this.#find('item text', { text, heard });
    this.#checkContext(letter, this.#letters.get(saidNow), heard.heardMs);
  }

  /** The interrupted reply in the model's cache says what was heard and is closed. */
  #checkContext(letter: string | undefined, letterNow: string | undefined, heardMs: number): void {
    const cache = this.#rig.contextOf(`SYSTEM:${this.#instructions}`);
    const replies = cache
      .split('USER:')
      .slice(-NEAR)
      .map(turn => turn.split('ASSISTANT:')[1] ?? '');
    // Of a reply that was not heard at all nothing stands in the cache, and the next has its letter.
    const reply = letter === letterNow ? '' : (replies.findLast(text => text[0] === letter) ?? '');
    const said = reply.replaceAll(/<\/pause>|<\/longcat_s>|\n/g, '').trim();
    if (!this.#mayBe(said, letter, heardMs))
      this.#find('unheard words in the context', { heardMs, said, cache: cache.slice(-400) });
    if (reply !== '' && !reply.endsWith('</longcat_s>\n'))
      this.#find('the cut reply is not closed', { reply });
  }

  /** Never a word that was not heard to its end; one that ended within the slack may be missing. */
  #mayBe(text: string, letter: string | undefined, heardMs: number): boolean {
    return text === expectedText(letter, heardMs) || text === expectedText(letter, heardMs - this.#slackMs);
  }

  #find(what: string, details: unknown): void {
    this.findings.push({ what, session: this.#line.sessionId, details });
  }
}

/** All words whose sound was heard to its end, none other. */
function expectedText(letter: string | undefined, heardMs: number): string {
  const words = WORD_END_MS.filter(endMs => endMs <= heardMs + 0.5).length;
  if (words === 0) return '';
  return SCRIPTS[ONES.findIndex(one => one[0] === letter)]
    .slice(0, words)
    .map(({ text }) => text)
    .join('')
    .trim();
}

/**
 * Lets the people talk until they have interrupted so often; gives up after a second of theirs for each interruption.
 */
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
