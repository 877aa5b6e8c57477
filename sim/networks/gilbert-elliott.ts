import type { Random } from '../../actors/core/index.ts';

/** Loss in bursts: every packet of the bad state is lost (docs/spec/latency-data.md §5.3). */
export class GilbertElliott {
  readonly toBad: number;
  readonly toGood: number;
  readonly #random: Random;
  #isBad = false;

  /**
   * @param loss share of packets, 0 ≤ loss < 1
   * @param meanBurst packets, ≥ 1
   */
  constructor(random: Random, loss: number, meanBurst: number) {
    this.#random = random;
    this.toGood = 1 / meanBurst;
    this.toBad = (loss * this.toGood) / (1 - loss);
  }

  /** Whether the next packet is lost. */
  loses(): boolean {
    if (this.toBad === 0) return false;
    this.#isBad = this.#random.next() < (this.#isBad ? 1 - this.toGood : this.toBad);
    return this.#isBad;
  }
}
