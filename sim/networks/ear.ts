import type { Clock, Timer } from '../../actors/core/index.ts';

/** A silence shorter than this is a stutter of the network, not the end of what the agent says. */
const SPURT_GAP_MS = 300;
/** Sums of times differ in their last digits; a wait shorter than this would never end. */
const GRAIN_MS = 1e-6;

export interface EarOptions {
  readonly clock: Clock;
  /** Decoder and render buffer: what was taken from the network sounds this much later. */
  readonly renderMs: number;
  /** A break shorter than this is concealed well enough. */
  readonly hiddenBreakMs: number;
  readonly onStarted: (atMs: number, itemId: string) => void;
  readonly onStopped: (atMs: number) => void;
}

/** The listener's end: audio sounds as it arrives, one after another; what has not been played can be cleared. */
export class FarEar {
  /** Clock times of breaks in the middle of a reply. */
  readonly stuttersMs: number[] = [];
  playedMs = 0;
  /** Of replies, what did not sound in its time. */
  missingMs = 0;
  /** Breaks, hidden ones too. */
  breaks = 0;
  readonly #options: EarOptions;
  /**
   * Those not known to be over, oldest first: a reply may be on its way while the end of the last is still to be
   * noticed.
   */
  #spurts: Spurt[] = [];
  /** The newest sound, also after its spurt is over. */
  #last: { readonly itemId: string; readonly untilMs: number } | null = null;

  constructor(options: EarOptions) {
    this.#options = options;
  }

  /** Audio that can be taken at `readyMs`, now or later. Returns when it begins to sound. */
  play(itemId: string, readyMs: number, lengthMs: number): number {
    const soundsMs = readyMs + this.#options.renderMs;
    let spurt = this.#spurts.at(-1);
    const breakMs = this.#last?.itemId === itemId ? soundsMs - this.#last.untilMs : 0;
    if (breakMs > GRAIN_MS) this.#broken(breakMs);
    if (!spurt || soundsMs > spurt.endMs) {
      spurt = {
        itemId,
        startsMs: soundsMs,
        untilMs: soundsMs,
        endMs: soundsMs,
        hasStarted: false,
        timer: null,
      };
      this.#spurts.push(spurt);
      this.#wait(spurt, soundsMs);
    }
    const beginsMs = Math.max(soundsMs, spurt.untilMs);
    spurt.untilMs = beginsMs + lengthMs;
    spurt.endMs = spurt.untilMs + SPURT_GAP_MS;
    this.playedMs += lengthMs;
    this.#last = { itemId, untilMs: spurt.untilMs };
    return beginsMs;
  }

  /** Everything that does not sound by then is gone; what the renderer has taken sounds on. */
  clear(atMs: number): void {
    const cutMs = atMs + this.#options.renderMs;
    this.#last = null;
    for (const spurt of [...this.#spurts]) {
      if (spurt.untilMs <= cutMs) continue;
      this.playedMs -= spurt.untilMs - Math.max(cutMs, spurt.startsMs);
      spurt.untilMs = Math.max(cutMs, spurt.startsMs);
      spurt.endMs = spurt.untilMs;
      if (spurt.hasStarted) this.#wait(spurt, spurt.endMs);
    }
  }

  /** Nothing more is sent: what is under way sounds, and its end is the end. */
  drain(): void {
    this.#last = null;
    for (const spurt of this.#spurts) {
      spurt.endMs = spurt.untilMs;
      if (spurt.hasStarted) this.#wait(spurt, spurt.endMs);
    }
  }

  /** Nobody listens any more. */
  close(): void {
    for (const { timer } of this.#spurts) timer?.cancel();
    this.#spurts = [];
  }

  #broken(breakMs: number): void {
    this.breaks += 1;
    this.missingMs += breakMs;
    if (breakMs > this.#options.hiddenBreakMs) this.stuttersMs.push(this.#options.clock.nowMs());
  }

  #wait(spurt: Spurt, untilMs: number): void {
    const { clock } = this.#options;
    spurt.timer?.cancel();
    const waitMs = Math.max(0, untilMs - clock.nowMs());
    spurt.timer = clock.setTimer(waitMs, () => this.#look(spurt));
  }

  /** It begins, goes on, or was over a while ago. */
  #look(spurt: Spurt): void {
    const { endMs, hasStarted, startsMs, untilMs } = spurt;
    const isOver = endMs - this.#options.clock.nowMs() <= GRAIN_MS;
    const wasCleared = !hasStarted && untilMs <= startsMs;
    if (isOver || wasCleared) this.#spurts = this.#spurts.filter(other => other !== spurt);
    else this.#wait(spurt, endMs);
    if (wasCleared) return;
    spurt.hasStarted = true;
    if (!hasStarted) this.#options.onStarted(startsMs, spurt.itemId);
    else if (isOver) this.#options.onStopped(untilMs);
  }
}

/** What is heard without a break. */
interface Spurt {
  /** Of its first sound. */
  readonly itemId: string;
  readonly startsMs: number;
  untilMs: number;
  /** When its end is noticed: after a silence that is too long for a stutter, or at once where it was cut. */
  endMs: number;
  hasStarted: boolean;
  timer: Timer | null;
}
