/** Numbers that wrap (RFC 3550 appendix A.1), as numbers that do not. */
export class SequenceUnwrapper {
  readonly #modulus: number;
  #highest: number | null = null;

  /** `bits`: of the counter, 16 for RTP's sequence numbers and 32 for its timestamps. */
  constructor(bits: number) {
    this.#modulus = 2 ** bits;
  }

  /** The number nearest to the highest one so far that has these low bits. */
  unwrap(wrapped: number): number {
    const highest = this.#highest;
    if (highest === null) {
      this.#highest = wrapped;
      return wrapped;
    }
    const half = this.#modulus / 2;
    const ahead = (wrapped - highest) % this.#modulus;
    const step = ahead >= half ? ahead - this.#modulus : ahead < -half ? ahead + this.#modulus : ahead;
    const value = highest + step;
    if (value > highest) this.#highest = value;
    return value;
  }
}
