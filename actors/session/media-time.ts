/**
 * Where a packet stands in the audio, by the transport's own clock: a packet that was not sent (a muted microphone,
 * silence that a codec leaves out) or did not come is a gap, one that comes twice is left out. Positions are in
 * milliseconds of audio since the session opened.
 *
 *   media clock  ├─ a ─┤├─ b ─┤        ├─ c ─┤        gap before c      ├─ c ─┤ again: skipped
 */

export interface Place {
  /** Sound that is missing before it. */
  readonly gapMs: number;
  /** Of its beginning, what was there already. */
  readonly skipMs: number;
}

/** Stamps may be rounded, and clocks drift: less than half a frame is none. */
const TOLERANCE_MS = 10;
/** A longer jump, to either side, is no gap but another clock (a new stream of the same call): it follows on. */
const LONGEST_MS = 10_000;
const FOLLOWS: Place = { gapMs: 0, skipMs: 0 };

export class MediaTime {
  /** Media time of position 0; null before the first stamp. */
  #zeroMs: number | null = null;

  /** @param positionMs where the audio before it ended */
  place(mediaMs: number, positionMs: number): Place {
    const aheadMs = this.#zeroMs === null ? 0 : mediaMs - this.#zeroMs - positionMs;
    if (this.#zeroMs === null || Math.abs(aheadMs) > LONGEST_MS) this.#zeroMs = mediaMs - positionMs;
    else if (aheadMs >= TOLERANCE_MS) return { gapMs: aheadMs, skipMs: 0 };
    else if (aheadMs <= -TOLERANCE_MS) return { gapMs: 0, skipMs: -aheadMs };
    return FOLLOWS;
  }
}
