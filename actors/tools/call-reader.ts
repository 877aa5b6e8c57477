/**
 * Finds tool calls in what a model writes, however the tags are cut into tokens (docs/spec/tools.md §1). Everything
 * else is shown as soon as it can be no part of a tag any more; nothing of a call ever is.
 */
const BEGINS = ['<longcat_tool_call>', '<function_calls>'] as const;
const ENDS: Readonly<Record<string, string>> = {
  '<longcat_tool_call>': '</longcat_tool_call>',
  '<function_calls>': '</function_calls>',
};
/** Of one call; what is longer is no call. */
const MAX_CALL_CHARS = 64 * 1024;

export class CallReader {
  readonly #onCall: (body: string) => void;
  /** Not shown yet, as it may be the beginning of a tag; inside a call, what it says so far. */
  #held = '';
  #begin: string | null;

  /**
   * @param onCall what a call says between its tags, or up to its end where the model forgot it; empty where it is too
   * long to be one
   */
  constructor(onCall: (body: string) => void, startsInCall = false) {
    this.#onCall = onCall;
    this.#begin = startsInCall ? BEGINS[0] : null;
  }

  /** A call has begun and not ended. */
  get isInCall(): boolean {
    return this.#begin !== null;
  }

  /** What the call says that has begun and not ended; its end may be a part of the tag that ends it. */
  get body(): string | null {
    return this.#begin === null || this.#held.startsWith(NO_CALL) ? null : this.#held;
  }

  /** Returns what can be shown now. */
  push(delta: string): string {
    this.#held += delta;
    let shown = '';
    for (;;) {
      if (this.#begin !== null) {
        if (!this.#takeCall(this.#begin)) return shown;
      } else {
        const begin = firstOf(BEGINS, this.#held);
        if (!begin) break;
        shown += this.#held.slice(0, begin.at).trimEnd();
        this.#held = this.#held.slice(begin.at + begin.tag.length);
        this.#begin = begin.tag;
      }
    }
    const keep = this.#held.length - possibleTag(this.#held);
    shown += this.#held.slice(0, keep);
    this.#held = this.#held.slice(keep);
    return shown;
  }

  /** The reply is over: a call that was not closed counts all the same. Returns what was held back for nothing. */
  finish(): string {
    const rest = this.#held;
    this.#held = '';
    if (this.#begin === null) return rest;
    this.#begin = null;
    this.#tell(rest);
    return '';
  }

  /** False until its end is there. */
  #takeCall(begin: string): boolean {
    const end = firstOf([ENDS[begin], begin], this.#held);
    if (!end) {
      // Whatever this is, it is no call; what it says goes on unseen.
      if (this.#held.length > MAX_CALL_CHARS)
        this.#held = `${NO_CALL}${this.#held.slice(-ENDS[begin].length)}`;
      return false;
    }
    const body = this.#held.slice(0, end.at);
    this.#held = this.#held.slice(end.at + end.tag.length);
    // The end tag is sometimes forgotten between two calls.
    this.#begin = end.tag === begin ? begin : null;
    if (this.#begin === null) this.#held = this.#held.trimStart();
    this.#tell(body);
    return true;
  }

  #tell(body: string): void {
    this.#onCall(body.length <= MAX_CALL_CHARS && !body.startsWith(NO_CALL) ? body : '');
  }
}

const NO_CALL = '\u0000';

function firstOf(
  tags: readonly string[],
  text: string,
): { readonly tag: string; readonly at: number } | null {
  let first: { tag: string; at: number } | null = null;
  for (const tag of tags) {
    const at = text.indexOf(tag);
    if (at >= 0 && (!first || at < first.at)) first = { tag, at };
  }
  return first;
}

/** Length of the end of `text` that may become a tag, with the white space before it. */
function possibleTag(text: string): number {
  const at = text.lastIndexOf('<');
  const tail = at < 0 ? '' : text.slice(at);
  const mayBecome = tail !== '' && BEGINS.some(tag => tag.startsWith(tail));
  const before = mayBecome ? text.slice(0, at) : text;
  return text.length - before.trimEnd().length;
}
