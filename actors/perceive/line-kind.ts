/**
 * Whether a caller's line is a telephone, by what is heard of it: no voice above 4 kHz, or frames that are lost again
 * and again. Where the format says so (8 kHz), it is one.
 *
 *   speech: power above 4.3 kHz against that below 3.4 kHz ── 45 dB less, over a quarter of a second ─► narrow
 *   lost frames between heard ones ── more than 2 in 100 of the last ten seconds ────────────────────► lossy
 */

/** A microphone's own hiss is above this; what a resampler leaves is far below. */
const NARROW_SHARE = 10 ** -4.5;
/** Back from narrow to wide it takes more: a crackle is no voice. */
const WIDE_SHARE = 10 ** -3.8;
const KNOWN_FRAMES = 12;
/** What was heard is forgotten with a time constant of ten seconds. */
const FORGET = 0.998;
/** A longer silence is a mute, not a loss. */
const MOST_LOST_FRAMES = 8;
const LOSSY_SHARE = 0.02;
/** Of the wait until a loss is believed: two seconds of sound. */
const LOSS_KNOWN_FRAMES = 100;

export class LineKind {
  readonly #isNarrowByFormat: boolean;
  #above = 0;
  #below = 0;
  #speechFrames = 0;
  #isNarrow = false;
  #heard = 0;
  #lost = 0;
  #gap = 0;
  #isLossy = false;

  constructor(sampleRate: number) {
    this.#isNarrowByFormat = sampleRate <= 8000;
  }

  get isTelephone(): boolean {
    return this.#isNarrowByFormat || this.#isNarrow || this.#isLossy;
  }

  /** A frame of lost sound. */
  lost(): void {
    this.#gap += 1;
  }

  /** A frame of sound with its power above and below, in one unit. */
  heard(above: number, below: number, isSpeech: boolean): void {
    if (this.#gap > 0 && this.#gap <= MOST_LOST_FRAMES) this.#lost += this.#gap;
    this.#gap = 0;
    this.#lost *= FORGET;
    this.#heard = FORGET * this.#heard + 1;
    const share = this.#lost / (this.#lost + this.#heard);
    if (this.#heard >= LOSS_KNOWN_FRAMES)
      this.#isLossy = share > (this.#isLossy ? LOSSY_SHARE / 2 : LOSSY_SHARE);
    if (!isSpeech) return;
    this.#speechFrames += 1;
    this.#above = FORGET * this.#above + above;
    this.#below = FORGET * this.#below + below;
    if (this.#speechFrames < KNOWN_FRAMES) return;
    this.#isNarrow = this.#above < this.#below * (this.#isNarrow ? WIDE_SHARE : NARROW_SHARE);
  }
}
