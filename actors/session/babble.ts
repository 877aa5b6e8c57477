/**
 * Notices a reply that has lost itself, whatever the model: it says the same words or makes the same sounds over and
 * over, or goes on without a full stop, or sounds on long after its text. Looks at what was recorded, a step at a time;
 * costs a few comparisons a step and keeps a bounded tail.
 *
 * "Ha ha ha", a list with two equal entries and a count to thirty are no babble: a stretch counts when it was said
 * `repeats` times on end and is long enough to be heard as a loop.
 */

/** Null in the settings: nothing is noticed. */
export interface BabbleLimits {
  /** So many times the same words, or the same sounds, on end. */
  readonly repeats: number;
  /** … and at least so many words, so that "no no no no" may be said. */
  readonly loopWords: number;
  /** … or so much sound. A held sound or a silence counts as a loop of one frame. */
  readonly loopMs: number;
  /** Words without a mark of punctuation. */
  readonly unpunctuatedWords: number;
  /** Sound of a segment beyond what its letters take when said very slowly (`msPerCharacter`). */
  readonly spareMs: number;
  readonly msPerCharacter: number;
}

export interface Babble {
  readonly kind: 'words-repeat' | 'sounds-repeat' | 'no-punctuation' | 'sound-without-text';
  /** Steps before it began; what is repeated was good the first time. */
  readonly goodSteps: number;
}

/** Longest loop that is looked for. */
const MAX_LOOP_WORDS = 16;
const MAX_LOOP_FRAMES = 40;
/** Written without spaces: each character counts as a word. */
const FIRST_IDEOGRAPH = '\u2e80';
const STANDS_ALONE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
const MARK = /[.,;:!?…。，、；：！？]$/u;

export class BabbleGuard {
  readonly #limits: BabbleLimits;
  readonly #frameMs: number;
  readonly #words: Loops<string>;
  readonly #sounds: Loops<number>;
  #word = '';
  #steps = 0;
  /** Of each word, the steps up to its end. */
  readonly #wordEnds: number[] = [];
  #unpunctuated = 0;
  #segment = { characters: 0, soundMs: 0 };

  /** @param frameMs sound of one step */
  constructor(limits: BabbleLimits, frameMs: number) {
    this.#limits = limits;
    this.#frameMs = frameMs;
    this.#words = new Loops(MAX_LOOP_WORDS);
    this.#sounds = new Loops(MAX_LOOP_FRAMES);
  }

  /**
   * One recorded step.
   *
   * @param text readable text of the step, may be empty
   * @param semantic its first code; null where the step has no sound
   * @param endsSegment a new segment begins with the next step
   * @returns what is wrong by now, or null
   */
  step(text: string, semantic: number | null, endsSegment: boolean): Babble | null {
    this.#steps += 1;
    const wrong = this.#hearText(text) ?? (semantic === null ? null : this.#hearSound(semantic));
    if (endsSegment) this.#segment = { characters: 0, soundMs: 0 };
    return wrong;
  }

  #hearText(text: string): Babble | null {
    this.#segment.characters += text.length;
    let wrong: Babble | null = null;
    for (const character of text) {
      const isSpace = character.trim() === '';
      const stands = character >= FIRST_IDEOGRAPH && STANDS_ALONE.test(character);
      if (stands || isSpace) wrong = this.#wordOver() ?? wrong;
      if (!isSpace) this.#word += character;
      if (stands) wrong = this.#wordOver() ?? wrong;
    }
    // A mark ends a word at once: what comes next may be minutes away.
    if (MARK.test(this.#word)) wrong = this.#wordOver() ?? wrong;
    return wrong;
  }

  #wordOver(): Babble | null {
    if (this.#word === '') return null;
    const { repeats, loopWords, unpunctuatedWords } = this.#limits;
    this.#unpunctuated = MARK.test(this.#word) ? 0 : this.#unpunctuated + 1;
    const again = this.#words.push(this.#word.toLowerCase(), repeats, loopWords);
    this.#word = '';
    this.#wordEnds.push(this.#steps);
    if (again > 0) return { kind: 'words-repeat', goodSteps: this.#wordEnds.at(-1 - again) ?? 0 };
    if (this.#unpunctuated <= unpunctuatedWords) return null;
    return { kind: 'no-punctuation', goodSteps: this.#wordEnds.at(-1 - this.#unpunctuated) ?? 0 };
  }

  #hearSound(semantic: number): Babble | null {
    const { repeats, loopMs, spareMs, msPerCharacter } = this.#limits;
    this.#segment.soundMs += this.#frameMs;
    const again = this.#sounds.push(semantic, repeats, loopMs / this.#frameMs);
    if (again > 0) return { kind: 'sounds-repeat', goodSteps: this.#steps - again };
    const { characters, soundMs } = this.#segment;
    if (soundMs <= spareMs + characters * msPerCharacter) return null;
    return { kind: 'sound-without-text', goodSteps: this.#steps };
  }
}

/** How long each period up to a bound has held: entry n equals entry n − period. */
class Loops<T> {
  readonly #tail: (T | undefined)[];
  readonly #run: Int32Array;
  #count = 0;

  constructor(maxPeriod: number) {
    this.#tail = new Array(maxPeriod).fill(undefined);
    this.#run = new Int32Array(maxPeriod + 1);
  }

  /**
   * @returns where the newest entries are a stretch said `repeats` times or more that is `least` entries long in all:
   * how many of them say it again (all but the first time); else 0
   */
  push(value: T, repeats: number, least: number): number {
    const size = this.#tail.length;
    let again = 0;
    for (let period = 1; period <= Math.min(size, this.#count); period++) {
      const isSame = this.#tail[(this.#count - period) % size] === value;
      this.#run[period] = isSame ? this.#run[period] + 1 : 0;
      const length = this.#run[period] + period;
      if (again === 0 && isSame && length >= repeats * period && length >= least) again = length - period;
    }
    this.#tail[this.#count % size] = value;
    this.#count += 1;
    return again;
  }
}
