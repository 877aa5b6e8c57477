import type { Clock } from '../../actors/core/index.ts';

/**
 * What a modelled engine answers: known when the clock says so, and delivered in that very event of the clock. A
 * promise would need a turn of the host for each step; without one a simulation is a plain loop over events.
 */
class ClockAnswer<T> implements PromiseLike<T> {
  readonly #listeners: (() => void)[] = [];
  readonly #answer: () => T;

  constructor(clock: Clock, delayMs: number, answer: () => T) {
    this.#answer = answer;
    clock.setTimer(delayMs, () => {
      for (const listener of this.#listeners) listener();
    });
  }

  /** To be called before the answer is due, as whoever asked does. */
  // biome-ignore lint/suspicious/noThenProperty: this is one.
  then<Result = T, Failure = never>(
    onAnswer?: ((value: T) => Result | PromiseLike<Result>) | null,
    onFailure?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    return new Promise((resolve, reject) => {
      this.#listeners.push(() => {
        let value: T;
        try {
          value = this.#answer();
        } catch (error) {
          if (onFailure) resolve(onFailure(error));
          else reject(error);
          return;
        }
        resolve(onAnswer ? onAnswer(value) : (value as unknown as Result));
      });
    });
  }
}

/** Work that begins `delayMs` from now. */
export function beginsAfter<T>(clock: Clock, delayMs: number, begin: () => PromiseLike<T>): PromiseLike<T> {
  return {
    // biome-ignore lint/suspicious/noThenProperty: this is one.
    then: (onAnswer, onFailure) =>
      new Promise(resolve => {
        clock.setTimer(delayMs, () => resolve(begin().then(onAnswer, onFailure)));
      }),
  };
}

/** The answer, `delayMs` from now; what `answer` throws is the step's failure. */
export function answerAfter<T>(clock: Clock, delayMs: number, answer: () => T): PromiseLike<T> {
  return new ClockAnswer(clock, delayMs, answer);
}
