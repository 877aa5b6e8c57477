/**
 * Whether what was said can be understood (docs/spec/latency-data.md §4.5): speech is words of a third of a second; a
 * word of which a share m is missing is lost with probability m², and an answer is to the point when no word that
 * matters was lost.
 */
import type { Random } from '../../actors/core/index.ts';
import type { Noise, SpokenTurn } from './person.ts';

const WORD_MS = 1000 / 3;
/** A noise as loud as speech takes half of what lies beneath it. */
const MASKED = 0.5;
/** Stretches that may be missing from one turn. */
const MAX_MISSING = 10_000;

interface Missing {
  readonly fromMs: number;
  toMs: number;
}

export class Understanding {
  readonly #random: Random;
  readonly #wordsThatMatter: number;
  #missing: Missing[] = [];

  constructor(random: Random, wordsThatMatter: number) {
    this.#random = random;
    this.#wordsThatMatter = wordsThatMatter;
  }

  /** What the mouth said between these times never arrived; in the order of time. */
  misses(fromMs: number, toMs: number): void {
    const last = this.#missing.at(-1);
    if (last && fromMs <= last.toMs + 1e-6) last.toMs = Math.max(last.toMs, toMs);
    else if (this.#missing.length < MAX_MISSING) this.#missing.push({ fromMs, toMs });
  }

  /** Asked once of each turn, in order: what was missing before it is forgotten. */
  isUnderstood(turn: SpokenTurn, noises: readonly Noise[]): boolean {
    const missing = this.#missing.filter(({ toMs }) => toMs > turn.beganMs);
    this.#missing = missing.filter(({ toMs }) => toMs > turn.endedMs);
    const masking = noises.filter(({ toMs }) => toMs > turn.beganMs);
    let [words, lost] = [0, 0];
    for (const { fromMs, toMs } of turn.stretches) {
      const count = Math.max(1, Math.round((toMs - fromMs) / WORD_MS));
      const wordMs = (toMs - fromMs) / count;
      words += count;
      if (missing.length === 0 && masking.length === 0) continue;
      for (let word = 0; word < count; word++) {
        const beginMs = fromMs + word * wordMs;
        const missingMs =
          overlapMs(missing, beginMs, beginMs + wordMs) +
          MASKED * overlapMs(masking, beginMs, beginMs + wordMs);
        lost += Math.min(1, missingMs / wordMs) ** 2;
      }
    }
    // Drawn also where nothing was lost, so that a loss shifts no later draw.
    return this.#random.next() < (1 - lost / words) ** this.#wordsThatMatter;
  }
}

function overlapMs(stretches: readonly Missing[], fromMs: number, toMs: number): number {
  return stretches.reduce(
    (sum, one) => sum + Math.max(0, Math.min(toMs, one.toMs) - Math.max(fromMs, one.fromMs)),
    0,
  );
}
