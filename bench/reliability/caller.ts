/**
 * Somebody who calls again and again, says the recording's utterances one after the other, each when the answer to the
 * one before has been played, and writes down what became of it.
 */
import { Line, type ServerEvent } from './line.ts';
import { RATE } from './recording.ts';

const SEND_EVERY_MS = 100;
const CHUNK = (RATE * SEND_EVERY_MS) / 1000;
const AFTER_REPLY_MS = 200;
/** So long an answer is waited for. */
const PATIENCE_MS = 12_000;
const CHECK_MS = 5000;

/** One thing said, and how it was answered. */
export interface TurnNote {
  readonly saidAtMs: number;
  /** When its sound came. */
  readonly soundAtMs: number[];
  doneAtMs: number | null;
  /** Replies that were completed. */
  answers: number;
  failure: string | null;
}

export class Caller {
  readonly turns: TurnNote[] = [];
  calls = 0;
  /** Why calls ended that should not have. */
  readonly lost: string[] = [];
  readonly errors: string[] = [];
  readonly resumedMs: number[] = [];
  /** Words that were told and are in the conversation no more, of so many that were looked for. */
  wordsLost = 0;
  wordsKept = 0;
  readonly #ports: readonly number[];
  readonly #utterances: readonly Float32Array[];
  #line: Line | null = null;
  #sending: NodeJS.Timeout | null = null;
  #timer: NodeJS.Timeout | null = null;
  #port: number;
  #next: number;
  #saying: { readonly samples: Float32Array; at: number } | null = null;
  #turn: TurnNote | null = null;
  /** What came of the reply is played until then; where it ran dry, later. */
  #playsUntilMs = 0;
  /** Items of this call with the words that were told of them. */
  #told = new Map<string, string>();
  #missing = new Map<string, string>();

  constructor(ports: readonly number[], utterances: readonly Float32Array[], number: number) {
    this.#ports = ports;
    this.#utterances = utterances;
    this.#port = number % ports.length;
    this.#next = number % utterances.length;
  }

  call(): void {
    this.calls++;
    this.#told = new Map();
    let isOpen = false;
    const line = new Line(this.#ports[this.#port], {
      event: event => {
        if (event.type === 'session.created' && !isOpen) {
          isOpen = true;
          this.#sending = setInterval(() => this.#send(), SEND_EVERY_MS);
          this.#say();
        } else this.#hear(event);
      },
      resumed: ms => {
        this.resumedMs.push(ms);
        // What came while the line was broken is counted as heard from now on.
        this.#playsUntilMs = Math.max(performance.now(), this.#playsUntilMs) + ms;
      },
      lost: why => {
        if (isOpen) this.lost.push(why);
        this.#hangUp();
        // Whoever is cut off calls the other one.
        this.#port = (this.#port + 1) % this.#ports.length;
        this.#timer = setTimeout(() => this.call(), AFTER_REPLY_MS);
      },
    });
    this.#line = line;
  }

  stop(): void {
    this.#hangUp();
  }

  #hangUp(): void {
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#sending) clearInterval(this.#sending);
    this.#sending = null;
    this.#line?.close();
    this.#turn = null;
    this.#saying = null;
  }

  #say(): void {
    this.#saying = { samples: this.#utterances[this.#next % this.#utterances.length], at: 0 };
  }

  #send(): void {
    const saying = this.#saying;
    const chunk = new Float32Array(CHUNK);
    if (saying) {
      chunk.set(saying.samples.subarray(saying.at, saying.at + CHUNK));
      saying.at += CHUNK;
    }
    const audio = Buffer.from(Int16Array.from(chunk, value => value * 32767).buffer).toString('base64');
    this.#line!.send({ type: 'input_audio_buffer.append', audio });
    if (!saying || saying.at < saying.samples.length) return;
    this.#saying = null;
    this.#turn = { saidAtMs: performance.now(), soundAtMs: [], doneAtMs: null, answers: 0, failure: null };
    this.turns.push(this.#turn);
    this.#timer = setTimeout(() => this.#gaveUp(), PATIENCE_MS);
  }

  #gaveUp(): void {
    this.#turn!.failure = 'no answer';
    this.#turn!.doneAtMs = performance.now();
    this.#goOn(0);
  }

  #hear(event: ServerEvent): void {
    const turn = this.#turn;
    if (event.type === 'error') this.errors.push(event.error?.code ?? event.error?.message ?? '?');
    else if (event.type === 'response.output_audio_transcript.done')
      this.#told.set(event.item_id, event.transcript);
    else if (event.type === 'conversation.item.truncated') this.#told.delete(event.item_id);
    else if (event.type === 'conversation.item.retrieved') this.#retrieved(event.item);
    else if (event.type === 'response.output_audio.delta' && turn) {
      const nowMs = performance.now();
      turn.soundAtMs.push(nowMs);
      const ms = (Buffer.byteLength(event.delta, 'base64') / 2 / RATE) * 1000;
      this.#playsUntilMs = Math.max(nowMs, this.#playsUntilMs) + ms;
    } else if (event.type === 'response.done' && turn) this.#done(turn, event.response);
  }

  #done(turn: TurnNote, response: ServerEvent): void {
    if (response.status === 'completed') turn.answers++;
    else if (response.status === 'failed') turn.failure = response.status_details?.error?.code ?? 'failed';
    else return;
    if (turn.doneAtMs !== null) return; // A second answer.
    turn.doneAtMs = performance.now();
    this.#goOn(Math.max(0, this.#playsUntilMs - turn.doneAtMs));
  }

  /** When the reply has been heard: the next utterance, or the end of the call. */
  #goOn(playsMs: number): void {
    clearTimeout(this.#timer!);
    this.#next++;
    this.#timer = setTimeout(() => {
      if (this.#next % this.#utterances.length !== 0) this.#say();
      else this.#check();
    }, playsMs + AFTER_REPLY_MS);
  }

  /** At its end: is everything that was told still in the conversation? */
  #check(): void {
    this.#missing = new Map(this.#told);
    for (const item_id of this.#told.keys())
      this.#line!.send({ type: 'conversation.item.retrieve', item_id });
    this.#timer = setTimeout(() => this.#checked(), CHECK_MS);
  }

  #retrieved(item: ServerEvent): void {
    const words = item.content.map((part: ServerEvent) => part.transcript ?? part.text ?? '').join('');
    const told = this.#missing.get(item.id);
    if (told === undefined) return;
    if (words === told) this.wordsKept += count(told);
    else this.wordsLost += count(told);
    this.#missing.delete(item.id);
    if (this.#missing.size === 0) this.#checked();
  }

  #checked(): void {
    clearTimeout(this.#timer!);
    for (const words of this.#missing.values()) this.wordsLost += count(words);
    this.#missing.clear();
    this.#hangUp();
    this.#port = (this.#port + 1) % this.#ports.length;
    this.call();
  }
}

const count = (words: string): number => words.split(/\s+/).filter(Boolean).length;
