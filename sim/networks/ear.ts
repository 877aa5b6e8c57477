import type { Clock, Timer } from '../../actors/core/index.ts';

/** A silence shorter than this is a stutter of the network, not the end of what the agent says. */
const SPURT_GAP_MS = 300;
/** Sums of times differ in their last digits; a wait shorter than this would never end. */
const GRAIN_MS = 1e-6;

/** The listener's end: audio is played as it arrives, one after another; what has not been played can be cleared. */
export class Ear {
  /** Stretches in which the queue ran dry in the middle of a reply. */
  stutters = 0;
  readonly #clock: Clock;
  readonly #renderMs: number;
  readonly #onStarted: (atMs: number) => void;
  readonly #onStopped: (atMs: number) => void;
  /** Those not known to be over, oldest first: a reply may be on its way while the end of the last is still to be noticed. */
  #spurts: Spurt[] = [];

  constructor(
    clock: Clock,
    renderMs: number,
    onStarted: (atMs: number) => void,
    onStopped: (atMs: number) => void,
  ) {
    this.#clock = clock;
    this.#renderMs = renderMs;
    this.#onStarted = onStarted;
    this.#onStopped = onStopped;
  }

  /** Audio that arrives at `arrivalMs` (now or later). Returns when it will have been played. */
  play(arrivalMs: number, lengthMs: number): number {
    const readyMs = arrivalMs + this.#renderMs;
    let spurt = this.#spurts.at(-1);
    if (!spurt || readyMs > spurt.endMs) {
      spurt = { startsMs: readyMs, untilMs: readyMs, endMs: readyMs, hasStarted: false, timer: null };
      this.#spurts.push(spurt);
      this.#wait(spurt, readyMs);
    } else if (readyMs > spurt.untilMs) {
      this.stutters += 1;
      spurt.untilMs = readyMs;
    }
    spurt.untilMs += lengthMs;
    spurt.endMs = spurt.untilMs + SPURT_GAP_MS;
    return spurt.untilMs;
  }

  /** Everything that has not been played by then is gone: the silence is heard at once, nothing more is expected. */
  clear(atMs: number): void {
    for (const spurt of [...this.#spurts]) {
      if (spurt.untilMs <= atMs) continue;
      spurt.untilMs = Math.max(atMs, spurt.startsMs);
      spurt.endMs = spurt.untilMs;
      if (spurt.hasStarted) this.#wait(spurt, spurt.endMs);
    }
  }

  #wait(spurt: Spurt, untilMs: number): void {
    spurt.timer?.cancel();
    const waitMs = Math.max(0, untilMs - this.#clock.nowMs());
    spurt.timer = this.#clock.setTimer(waitMs, () => this.#look(spurt));
  }

  /** It begins, goes on, or was over a while ago. */
  #look(spurt: Spurt): void {
    const { endMs, hasStarted, startsMs, untilMs } = spurt;
    const isOver = endMs - this.#clock.nowMs() <= GRAIN_MS;
    const wasCleared = !hasStarted && untilMs <= startsMs;
    if (isOver || wasCleared) this.#spurts = this.#spurts.filter(other => other !== spurt);
    else this.#wait(spurt, endMs);
    if (wasCleared) return;
    spurt.hasStarted = true;
    if (!hasStarted) this.#onStarted(startsMs);
    else if (isOver) this.#onStopped(untilMs);
  }
}

/** What is heard without a break. */
interface Spurt {
  readonly startsMs: number;
  untilMs: number;
  /** When its end is noticed: after a silence that is too long for a stutter, or at once where it was cut. */
  endMs: number;
  hasStarted: boolean;
  timer: Timer | null;
}
