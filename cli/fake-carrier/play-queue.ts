/**
 * What a carrier holds for the caller's ear: sound and marks in order, played by the clock. What it played is the truth
 * of the call.
 */
import { CODECS, type MediaFormat } from '../../protocols/media/index.ts';

/** Of 20 ms: a longer silence is one that was meant. */
const MAX_HOLE_TICKS = 10;

export class PlayQueue {
  /** All that reached the ear, silence included, in whole ticks. */
  readonly ear: Buffer[] = [];
  /** Of the sound that was given: bytes played, and bytes thrown away. */
  played = 0;
  cleared = 0;
  /** Holes in the sound, of up to 200 ms: something came too late. */
  underruns = 0;
  readonly format: MediaFormat;
  readonly #silence: number;
  readonly #queue: (Buffer | string)[] = [];
  #waiting = 0;
  /** Since sound was last heard; null: none was, or it was thrown away. */
  #silentTicks: number | null = null;

  constructor(format: MediaFormat) {
    this.format = format;
    this.#silence = CODECS[format.codec].silenceByte;
  }

  /** Sound reached the ear in the last tick. */
  isPlaying = false;

  get waitingBytes(): number {
    return this.#waiting;
  }

  play(payload: Buffer): void {
    if (payload.length === 0) return;
    this.#queue.push(payload);
    this.#waiting += payload.length;
  }

  /** Marks that are reached at once come back at once. */
  mark(name: string): string[] {
    this.#queue.push(name);
    return this.#marksAtHead();
  }

  /** The marks that were thrown away with what they stood behind. */
  clear(): string[] {
    const marks = this.#queue.filter(one => typeof one === 'string');
    this.cleared += this.#waiting;
    this.#queue.length = 0;
    this.#waiting = 0;
    this.#silentTicks = null;
    return marks;
  }

  /** So much time passes. Returns the marks that were reached. */
  tick(bytes: number): string[] {
    const out = Buffer.alloc(bytes, this.#silence);
    const marks: string[] = [];
    let at = 0;
    while (at < bytes && this.#queue.length > 0) {
      marks.push(...this.#marksAtHead());
      const head = this.#queue[0];
      if (head === undefined || typeof head === 'string') continue;
      const part = Math.min(head.length, bytes - at);
      head.copy(out, at, 0, part);
      at += part;
      if (part === head.length) this.#queue.shift();
      else this.#queue[0] = head.subarray(part);
    }
    marks.push(...this.#marksAtHead());
    this.#count(at);
    this.isPlaying = at > 0;
    this.#waiting -= at;
    this.played += at;
    this.ear.push(out);
    return marks;
  }

  #count(heardBytes: number): void {
    if (heardBytes > 0) {
      if (this.#silentTicks !== null && this.#silentTicks > 0 && this.#silentTicks <= MAX_HOLE_TICKS)
        this.underruns += 1;
      this.#silentTicks = 0;
    } else if (this.#silentTicks !== null) this.#silentTicks += 1;
  }

  #marksAtHead(): string[] {
    const marks: string[] = [];
    while (typeof this.#queue[0] === 'string') marks.push(this.#queue.shift() as string);
    return marks;
  }
}
