/**
 * Heard samples → steps → text (spec/model.md §1.7, §6.5).
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

interface Step {
  readonly text: string;
  /** Index of the step's code frame within the reply, null where it has none (end of a segment). */
  frame: number | null;
  /** Characters other than white space of the segment, up to and with this step's text. */
  readonly charactersUntil: number;
  readonly segment: number;
}

interface Segment {
  characters: number;
  firstFrame: number;
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
  readonly #steps: Step[] = [];
  readonly #segments: Segment[] = [{ characters: 0, firstFrame: 0, frames: 0, closed: false }];
  #frames = 0;
  #audioOnly = false;
  #tail = '';

  constructor(frameMs: number) {
    this.#frameMs = frameMs;
  }

  /** One recorded step; `semantic` is its first code, `state` the reply's state after it. */
  step(textDelta: string, semantic: number, state: ReplyState): void {
    const segment = this.#segments[this.#segments.length - 1];
    const ends = this.#audioOnly && semantic === SEGMENT_END;
    if (textDelta !== '') segment.characters += textDelta.replaceAll(/\s/g, '').length;
    const frame = ends ? null : this.#frames++;
    if (!ends) segment.frames += 1;
    this.#steps.push({
      text: textDelta,
      frame,
      charactersUntil: segment.characters,
      segment: this.#segments.length - 1,
    });
    this.#audioOnly = state === 'audio-only';
    if (!ends) return;
    segment.closed = true;
    if (state !== 'end') {
      this.#segments.push({ characters: 0, firstFrame: this.#frames, frames: 0, closed: false });
    }
  }

  /** Text that became readable only at the end of the reply. */
  finish(textDelta: string): void {
    this.#tail += textDelta;
  }

  get text(): string {
    return this.#steps.map(step => step.text).join('') + this.#tail;
  }

  get steps(): number {
    return this.#steps.length;
  }

  /** The most that can be kept when `heardMs` of the reply were heard. */
  cut(heardMs: number, place: CutPlace): Cut {
    let reached = 0;
    while (reached < this.#steps.length && this.#heard(this.#steps[reached], heardMs)) reached++;
    if (reached === this.#steps.length) return { steps: reached, text: this.text.trimEnd() };
    while (reached > 0 && !this.#mayCutBefore(reached, place)) reached--;
    return { steps: reached, text: this.#textOf(reached).trimEnd() };
  }

  #heard(step: Step, heardMs: number): boolean {
    const segment = this.#segments[step.segment];
    const startMs = segment.firstFrame * this.#frameMs;
    const endMs = startMs + segment.frames * this.#frameMs;
    if (step.frame === null) return segment.closed && heardMs >= endMs;
    if (heardMs < (step.frame + 1) * this.#frameMs) return false;
    if (step.text.trim() === '') return true;
    const soundMs = segment.closed
      ? (endMs - startMs) * (step.charactersUntil / segment.characters)
      : step.charactersUntil * OPEN_SEGMENT_MS_PER_CHARACTER;
    return heardMs >= startMs + soundMs;
  }

  #mayCutBefore(index: number, place: CutPlace): boolean {
    if (place === 'sample') return true;
    const before = this.#textOf(index);
    const after = this.#nextText(index);
    if (place === 'word')
      return /\s$/.test(before) || after === '' || /^\s/.test(after) || PUNCTUATION.test(before);
    return PUNCTUATION.test(before) || this.#steps[index - 1].frame === null;
  }

  #textOf(steps: number): string {
    let text = '';
    for (let i = 0; i < steps; i++) text += this.#steps[i].text;
    return text;
  }

  #nextText(from: number): string {
    for (let i = from; i < this.#steps.length; i++)
      if (this.#steps[i].text !== '') return this.#steps[i].text;
    return '';
  }
}
