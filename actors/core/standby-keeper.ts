/**
 * When a thread stands by: while somebody uses the engine, and for some minutes after. When nobody calls it would cost
 * memory and help nobody: a component that dies then is loaded before anybody asks for it.
 */
import type { EngineLifecycle } from '../../kernels/engine/index.ts';
import type { Clock, Timer } from './clock.ts';

/** After the first step: what the first caller waits for comes before. */
const STANDBY_AFTER_MS = 1000;
/** Without a step. */
const STANDBY_IDLE_MS = 300_000;

export class StandbyKeeper {
  readonly #lifecycle: EngineLifecycle;
  readonly #clock: Clock;
  #usedAtMs = 0;
  #timer: Timer | null = null;

  constructor(lifecycle: EngineLifecycle, clock: Clock) {
    this.#lifecycle = lifecycle;
    this.#clock = clock;
  }

  /** A step is asked of the engine. */
  used(): void {
    this.#usedAtMs = this.#clock.nowMs();
    this.#timer ??= this.#clock.setTimer(STANDBY_AFTER_MS, () => {
      this.#lifecycle.prepareStandby();
      this.#watch(STANDBY_IDLE_MS);
    });
  }

  close(): void {
    this.#timer?.cancel();
  }

  #watch(forMs: number): void {
    this.#timer = this.#clock.setTimer(forMs, () => {
      const leftMs = this.#usedAtMs + STANDBY_IDLE_MS - this.#clock.nowMs();
      if (leftMs > 0) return this.#watch(leftMs);
      this.#timer = null;
      this.#lifecycle.releaseStandby();
    });
  }
}
