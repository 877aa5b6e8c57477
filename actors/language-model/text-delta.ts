import type { SpecialTokens, Tokenizer } from '../../kernels/engine/index.ts';

/** What `decode` yields for bytes that are not a character, or not yet. */
const INCOMPLETE_TAIL = /\uFFFD+$/;

/**
 * Turns text ids into readable text piece by piece: whole characters only, markers removed, no white space at either
 * end of the reply (docs/spec/model.md §1.9). The concatenation of all deltas is the text a person reads.
 */
export class TextDelta {
  readonly #tokenizer: Tokenizer;
  readonly #tokens: SpecialTokens;
  /**
   * From a place between two characters on. The first of them are known to the reader and kept because a tokenizer may
   * decode an id differently after another one.
   */
  #ids: number[] = [];
  #knownIds = 0;
  /** How much of the text of `#ids` the reader knows. */
  #known = 0;
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
      this.#ids = [];
      this.#knownIds = 0;
      this.#known = 0;
      // A full stop before a pause keeps its distance to the next segment.
      return rest + (this.#last === '.' ? this.#trim(' ') : '');
    }
    this.#ids.push(textId);
    const text = this.#tokenizer.decode(this.#ids);
    const whole = text.replace(INCOMPLETE_TAIL, '');
    const delta = this.#release(whole);
    if (whole === text) this.#forget();
    return delta;
  }

  /** Whatever is held back, readable or not; white space at the end stays held. */
  flush(): string {
    return this.#ids.length === 0 ? '' : this.#release(this.#tokenizer.decode(this.#ids));
  }

  #release(whole: string): string {
    const delta = whole.slice(this.#known);
    this.#known = Math.max(this.#known, whole.length);
    return this.#trim(delta);
  }

  /** Everything is known: only the newest ids are needed. */
  #forget(): void {
    this.#ids.splice(0, this.#knownIds);
    this.#knownIds = this.#ids.length;
    this.#known = this.#tokenizer.decode(this.#ids).length;
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
