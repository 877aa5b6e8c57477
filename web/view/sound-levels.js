/** A minute of levels, so that an utterance can be drawn when it is known where it began. */
const KEEP_MS = 60_000;
const BARS = 40;

/** The microphone's level over the time that was sent. */
export class SoundLevels {
  constructor() {
    /** @type {{ atMs: number, level: number }[]} */
    this.levels = [];
    this.nowMs = 0;
  }

  /** @param {number} level RMS in [0, 1] @param {number} lengthMs */
  add(level, lengthMs) {
    this.levels.push({ atMs: this.nowMs, level });
    this.nowMs += lengthMs;
    // A tenth at a time, so that it costs next to nothing.
    const oldest = this.nowMs - KEEP_MS;
    if (this.levels[0].atMs < oldest - KEEP_MS / 10)
      this.levels = this.levels.filter(({ atMs }) => atMs >= oldest);
  }

  /** A new session counts from zero. */
  reset() {
    this.levels = [];
    this.nowMs = 0;
  }

  /** The part from `fromMs` to `toMs` as an SVG of bars. */
  drawing(fromMs, toMs = this.nowMs) {
    const bars = new Array(BARS).fill(0);
    const barMs = Math.max(1, (toMs - fromMs) / BARS);
    for (const { atMs, level } of this.levels) {
      const bar = Math.floor((atMs - fromMs) / barMs);
      if (bar >= 0 && bar < BARS) bars[bar] = Math.max(bars[bar], level);
    }
    const loudest = Math.max(0.02, ...bars);
    const lines = bars.map((level, i) => {
      const half = (1 + 9 * Math.min(1, level / loudest)).toFixed(1);
      return `<line x1="${4 * i + 2}" x2="${4 * i + 2}" y1="${12 - Number(half)}" y2="${12 + Number(half)}"/>`;
    });
    return `<svg class="levels" viewBox="0 0 ${4 * BARS} 24" aria-hidden="true">${lines.join('')}</svg>`;
  }
}
