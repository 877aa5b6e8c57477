import type { SpecialTokens, Tokenizer } from '../../kernels/engine/index.ts';

/** What `decode` yields for bytes that are not yet a character. */
const INCOMPLETE = '\uFFFD';
/** An incomplete character is at most three bytes; more replacement characters are really in the text. */
const MAX_HELD_IDS = 4;

/**
 * Turns text ids into readable text piece by piece: whole characters only, markers removed, no white space at either end
 * of the reply (docs/spec/model.md §1.9). The concatenation of all deltas is the text a person reads.
 */
export class TextDelta {
  readonly #tokenizer: Tokenizer;
  readonly #tokens: SpecialTokens;
  /** Ids whose text is known to the reader; kept because a tokenizer may decode an id differently after another one. */
  #shown: number[] = [];
  #held: number[] = [];
  #last = '';
  #space = '';

  constructor(tokenizer: Tokenizer, tokens: SpecialTokens) {
    this.#tokenizer = tokenizer;
    this.#tokens = tokens;
  }

  push(textId: number): string {
    const { eos, pad, pause } = this.#tokens;
    if (textId < 0 || textId === pad) return '';
    if (textId === eos) return this.flush();
    if (textId === pause) {
      const rest = this.flush();
      this.#shown = [];
      // A full stop before a pause keeps its distance to the next segment.
      return rest + (this.#last === '.' ? this.#trim(' ') : '');
    }
    this.#held.push(textId);
    const before = this.#tokenizer.decode(this.#shown);
    const text = this.#tokenizer.decode([...this.#shown, ...this.#held]);
    if (text.endsWith(INCOMPLETE) && this.#held.length < MAX_HELD_IDS) return '';
    return this.#trim(this.#accept(before, text));
  }

  /** Whatever is held back, readable or not; white space at the end stays held. */
  flush(): string {
    if (this.#held.length === 0) return '';
    const before = this.#tokenizer.decode(this.#shown);
    return this.#trim(this.#accept(before, this.#tokenizer.decode([...this.#shown, ...this.#held])));
  }

  #accept(before: string, text: string): string {
    this.#shown = this.#held;
    this.#held = [];
    return text.startsWith(before) ? text.slice(before.length) : this.#tokenizer.decode(this.#shown);
  }

  /** Holds back white space until something visible follows. */
  #trim(delta: string): string {
    const visible = delta.trimEnd();
    if (visible === '') {
      if (this.#last !== '') this.#space += delta;
      return '';
    }
    const text = this.#last === '' ? visible.trimStart() : this.#space + visible;
    this.#space = delta.slice(visible.length);
    this.#last = text.at(-1)!;
    return text;
  }
}
