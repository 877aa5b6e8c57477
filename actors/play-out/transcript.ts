/**
 * Heard samples → steps → text (docs/spec/model.md §1.7, §6.5).
 *
 * Inside a segment the text runs ahead of the sound: the words stand in its first steps, one token a step, while their
 * sound takes all of its frames. So a word is taken as heard when the share of the segment that its characters make up
 * has been played, and a step is kept only when both its words and its own frame were heard. A segment still being
 * generated has an unknown length; its words are then timed slowly, so that none is claimed too early.
 */
import type { ReplyState } from '../language-model/index.ts';

export type CutPlace = 'punctuation' | 'word' | 'sample';

export interface Cut {
  /** Recorded steps to keep. */
  readonly steps: number;
  readonly text: string;
}

interface Segment {
  characters: number;
  readonly firstStep: number;
  readonly firstFrame: number;
  frames: number;
  /** Its length is known. */
  closed: boolean;
}

/** Slower than speech is: ten characters a second, spaces not counted. */
const OPEN_SEGMENT_MS_PER_CHARACTER = 100;
const PUNCTUATION = /[.,;:!?…。，、；：！？]["'”’)\]]*\s*$/u;
/** The semantic head's end of segment. */
const SEGMENT_END = 2;

export class Transcript {
  readonly #frameMs: number;
  /** Of each step: its text, and the characters other than white space of its segment, up to and with it. */
  readonly #texts: string[] = [];
  readonly #charactersUntil: number[] = [];
  readonly #segments: Segment[] = [{ characters: 0, firstStep: 0, firstFrame: 0, frames: 0, closed: false }];
  #frames = 0;
  #audioOnly = false;
  #tail = '';

  constructor(frameMs: number) {
    this.#frameMs = frameMs;
  }

  /**
   * One recorded step; `semantic` is its first code, `state` the reply's state after it. Says whether it ended a
   * segment.
   */
  step(textDelta: string, semantic: number, state: ReplyState): boolean {
    const segment = this.#segments[this.#segments.length - 1];
    const ends = this.#audioOnly && semantic === SEGMENT_END;
    if (textDelta !== '') segment.characters += textDelta.replaceAll(/\s/g, '').length;
    this.#texts.push(textDelta);
    this.#charactersUntil.push(segment.characters);
    this.#audioOnly = state === 'audio-only';
    if (!ends) {
      this.#frames += 1;
      segment.frames += 1;
      return false;
    }
    segment.closed = true;
    if (state !== 'end') {
      const [firstStep, firstFrame] = [this.steps, this.#frames];
      this.#segments.push({ characters: 0, firstStep, firstFrame, frames: 0, closed: false });
    }
    return true;
  }

  /** Text that became readable only at the end of the reply. */
  finish(textDelta: string): void {
    this.#tail += textDelta;
  }

  get text(): string {
    return this.#texts.join('') + this.#tail;
  }

  get steps(): number {
    return this.#texts.length;
  }

  /** The most that can be kept when `heardMs` of the reply were heard. */
  cut(heardMs: number, place: CutPlace): Cut {
    let reached = this.#reached(heardMs);
    if (reached === this.steps) return { steps: reached, text: this.text.trimEnd() };
    while (reached > 0 && !this.#mayCutBefore(reached, place)) reached--;
    return { steps: reached, text: this.#textOf(reached).trimEnd() };
  }

  /**
   * The last good place within the first `steps` steps, and how long one must have listened for it: a mark of
   * punctuation, else a word's end.
   */
  lastGood(steps: number): Cut & { readonly heardMs: number } {
    for (const place of ['punctuation', 'word'] as const) {
      let kept = Math.min(steps, this.steps);
      while (kept > 0 && !this.#mayCutBefore(kept, place)) kept--;
      if (kept > 0)
        return { steps: kept, text: this.#textOf(kept).trimEnd(), heardMs: this.#heardMsOf(kept) };
    }
    return { steps: 0, text: '', heardMs: 0 };
  }

  /** The first end of a word that is not before `heardMs`; the end of all there is after the last. */
  nextWordEnd(heardMs: number): Cut & { readonly heardMs: number } {
    let steps = this.#reached(heardMs);
    while (steps < this.steps && !(this.#mayCutBefore(steps, 'word') && this.#heardMsOf(steps) >= heardMs))
      steps++;
    return { steps, text: this.#textOf(steps).trimEnd(), heardMs: this.#heardMsOf(steps) };
  }

  #heardMsOf(steps: number): number {
    let heardMs = 0;
    for (const [i, segment] of this.#segments.entries()) {
      const end = Math.min(steps, this.#segments[i + 1]?.firstStep ?? this.steps);
      for (let step = segment.firstStep; step < end; step++) {
        heardMs = Math.max(heardMs, this.#untilMs(step, segment));
      }
    }
    return heardMs;
  }

  /** Steps of which everything was heard. */
  #reached(heardMs: number): number {
    let step = 0;
    for (let i = 0; i < this.#segments.length; i++) {
      const end = this.#segments[i + 1]?.firstStep ?? this.steps;
      for (; step < end; step++) if (heardMs < this.#untilMs(step, this.#segments[i])) return step;
    }
    return step;
  }

  /** How long one must have listened to have heard all of the step. */
  #untilMs(step: number, segment: Segment): number {
    const startMs = segment.firstFrame * this.#frameMs;
    const endMs = startMs + segment.frames * this.#frameMs;
    if (closes(segment, step)) return endMs;
    const frameMs = (segment.firstFrame + step - segment.firstStep + 1) * this.#frameMs;
    if (this.#texts[step].trim() === '') return frameMs;
    const charactersUntil = this.#charactersUntil[step];
    const soundMs = segment.closed
      ? (endMs - startMs) * (charactersUntil / segment.characters)
      : charactersUntil * OPEN_SEGMENT_MS_PER_CHARACTER;
    return Math.max(frameMs, startMs + soundMs);
  }

  #mayCutBefore(index: number, place: CutPlace): boolean {
    if (place === 'sample') return true;
    const before = this.#textOf(index);
    const after = this.#nextText(index);
    if (place === 'word')
      return /\s$/.test(before) || after === '' || /^\s/.test(after) || PUNCTUATION.test(before);
    return PUNCTUATION.test(before) || this.#segments.some(segment => closes(segment, index - 1));
  }

  #textOf(steps: number): string {
    let text = '';
    for (let i = 0; i < steps; i++) text += this.#texts[i];
    return text;
  }

  #nextText(from: number): string {
    for (let i = from; i < this.steps; i++) if (this.#texts[i] !== '') return this.#texts[i];
    return '';
  }
}

/** The step that ends a segment follows its frames and has none of its own. */
function closes(segment: Segment, step: number): boolean {
  return segment.closed && step === segment.firstStep + segment.frames;
}
