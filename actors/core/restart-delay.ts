/** Restarts without a pause, so that what fails once is back at once. */
const AT_ONCE = 3;
const FIRST_DELAY_MS = 250;
const MOST_DELAY_MS = 30_000;
/** Whoever served this long since the last restart has recovered. */
const STABLE_MS = 10_000;

/** When something that failed may begin again: at once, then after ever longer pauses, but never not at all. */
export class RestartDelay {
  #restarts = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** The pause before the restart that is due now. */
  next(nowMs: number): number {
    if (nowMs - this.#lastMs >= STABLE_MS) this.#restarts = 0;
    const beyond = this.#restarts++ - AT_ONCE;
    const delayMs = beyond < 0 ? 0 : Math.min(MOST_DELAY_MS, FIRST_DELAY_MS * 2 ** beyond);
    this.#lastMs = nowMs + delayMs;
    return delayMs;
  }
}
