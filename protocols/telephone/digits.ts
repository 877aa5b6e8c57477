/** Keys pressed on a telephone become one entry: at a terminator, after a silence, or when there are enough. */
import type { Timer } from '../../actors/core/clock.ts';
import type { Timers } from '../guard/index.ts';

export interface DigitSettings {
  /** Keys that end an entry and are no part of it; empty: none does. */
  readonly terminators: string;
  /** After the last key. */
  readonly timeoutMs: number;
  /** An entry of so many is complete. */
  readonly maxDigits: number;
  /** No digit is shown in a log. */
  readonly secret: boolean;
}

export const DEFAULT_DIGITS: DigitSettings = {
  terminators: '#',
  timeoutMs: 2000,
  maxDigits: 32,
  secret: true,
};

/** Whether a telephone has this key. */
export function isKey(key: string): boolean {
  return /^[0-9*#A-D]$/i.test(key);
}

export class DigitCollector {
  readonly #settings: DigitSettings;
  readonly #clock: Timers;
  readonly #onEntry: (digits: string) => void;
  #digits = '';
  #timer: Timer | null = null;

  constructor(settings: DigitSettings, clock: Timers, onEntry: (digits: string) => void) {
    this.#settings = settings;
    this.#clock = clock;
    this.#onEntry = onEntry;
  }

  /** False for what is no key. */
  press(key: string): boolean {
    if (!isKey(key)) return false;
    const digit = key.toUpperCase();
    const { maxDigits, terminators, timeoutMs } = this.#settings;
    if (terminators.includes(digit)) {
      // Alone it is an answer too: "press hash to go on".
      this.#complete(digit);
      return true;
    }
    this.#digits += digit;
    this.#timer?.cancel();
    if (this.#digits.length >= maxDigits) this.#complete();
    else this.#timer = this.#clock.setTimer(timeoutMs, () => this.#complete());
    return true;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#digits = '';
  }

  /** As a log may show them. */
  shown(digits: string): string {
    return this.#settings.secret ? '•'.repeat(digits.length) : digits;
  }

  #complete(otherwise = ''): void {
    const entry = this.#digits === '' ? otherwise : this.#digits;
    this.stop();
    if (entry !== '') this.#onEntry(entry);
  }
}
