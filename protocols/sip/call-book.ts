import type { AnsweredBy } from '../telephone/index.ts';

/** The calls that are up or coming up, by the name of their session. */
export interface BookedCall {
  readonly direction: 'in' | 'out';
  readonly peer: string;
  readonly startedAtMs: number;
  /** Rings, or was answered. */
  readonly isUp: () => boolean;
  /** Of a call that we made and listened to; null: not known. */
  readonly answeredBy?: () => AnsweredBy | null;
  hangUp(reason: string): void;
  hold(isHeld: boolean): Promise<void>;
  /** Null: it is not up. */
  transfer(target: string): Promise<{ readonly isDone: boolean; readonly status: number | null }> | null;
}

export class CallBook extends Map<string, BookedCall> {
  /** Of calls that are being opened, and count already. */
  opening = 0;
  readonly #most: number;

  constructor(most: number) {
    super();
    this.#most = most;
  }

  get isFull(): boolean {
    return this.size + this.opening >= this.#most;
  }
}
