import type { Random } from '../../actors/core/index.ts';
import type { Positions, SpecialTokens } from '../../kernels/engine/index.ts';
import { drawReply, predict, type ReplyLaw, type ReplyScript } from './reply-script.ts';

/**
 * A KV cache that knows only which positions were generated, as runs: alternately given and generated, beginning with
 * given. What is predicted follows from it, so that rollback and truncation need no book-keeping of their own.
 */
export class ScriptedSequence {
  readonly #random: Random;
  readonly #law: ReplyLaw;
  readonly #runs: number[] = [0];
  readonly #scripts = new Map<number, ReplyScript>();
  #length = 0;

  constructor(random: Random, law: ReplyLaw) {
    this.#random = random;
    this.#law = law;
  }

  get length(): number {
    return this.#length;
  }

  append({ textIds, rule }: Positions): void {
    const isGenerated = rule === 'decode';
    const lastIsGenerated = this.#runs.length % 2 === 0;
    if (isGenerated !== lastIsGenerated) this.#runs.push(0);
    this.#runs[this.#runs.length - 1] += textIds.length;
    this.#length += textIds.length;
  }

  /** @returns false when there are fewer positions than that */
  truncate(length: number): boolean {
    if (length > this.#length) return false;
    let surplus = this.#length - length;
    this.#length = length;
    while (surplus > 0) {
      const last = this.#runs.length - 1;
      const cut = Math.min(surplus, this.#runs[last]);
      this.#runs[last] -= cut;
      surplus -= cut;
      if (this.#runs[last] === 0 && last > 0) this.#runs.pop();
    }
    return true;
  }

  /** What follows the last position. The same reply again after a rollback, another one in the next turn. */
  predict(speech: boolean, tokens: SpecialTokens) {
    const isAnswering = this.#runs.length % 2 === 0;
    const step = isAnswering ? this.#runs[this.#runs.length - 1] : 0;
    const reply = Math.ceil(this.#runs.length / 2);
    let script = this.#scripts.get(reply);
    if (!script) {
      const mayCall = (this.#scripts.get(reply - 1)?.callTokens ?? 0) === 0;
      script = drawReply(this.#random.split(`reply ${reply}`), this.#law, mayCall);
      this.#scripts.set(reply, script);
    }
    return predict(script, step, speech, tokens);
  }
}
