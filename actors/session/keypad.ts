/** Keys of a telephone: what is pressed one after another becomes one entry, as `#` or a rest ends it. */
import { RuntimeError } from '../../kernels/errors.ts';
import type { Clock, Timer } from '../core/clock.ts';

/** So long between two keys of one entry. */
const ENTRY_REST_MS = 2000;
/** A longer entry is told in parts. */
const MAX_KEYS = 64;
const KEY = /^[0-9A-D*#]$/;

/** Error `dtmf.unknown`. */
export function checkKey(digit: string): void {
  if (KEY.test(digit)) return;
  const remedy = 'Give one of 0–9, *, #, A–D.';
  throw new RuntimeError('dtmf.unknown', 'A telephone has no such key.', { digit }, remedy);
}

export class Keypad {
  readonly #clock: Clock;
  readonly #onEntry: (keys: string) => void;
  #keys = '';
  #rest: Timer | null = null;

  constructor(clock: Clock, onEntry: (keys: string) => void) {
    this.#clock = clock;
    this.#onEntry = onEntry;
  }

  press(digit: string): void {
    this.#rest?.cancel();
    this.#keys += digit;
    if (digit === '#' || this.#keys.length === MAX_KEYS) this.#enter();
    else this.#rest = this.#clock.setTimer(ENTRY_REST_MS, () => this.#enter());
  }

  close(): void {
    this.#rest?.cancel();
  }

  #enter(): void {
    const keys = this.#keys;
    this.#keys = '';
    this.#onEntry(keys);
  }
}
