const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** What a shell reports of a command that Ctrl-C ended. */
export const INTERRUPTED_STATUS = 130;

/** Ctrl-C once: the run ends early and keeps what there is. Twice: it ends at once. */
export class Interruption {
  readonly #onFirst: () => void;
  #isAsked = false;

  constructor(onFirst: () => void) {
    this.#onFirst = onFirst;
    for (const signal of SIGNALS) process.on(signal, this.#on);
  }

  get isAsked(): boolean {
    return this.#isAsked;
  }

  stopWatching(): void {
    for (const signal of SIGNALS) process.off(signal, this.#on);
  }

  readonly #on = (): void => {
    if (this.#isAsked) process.exit(INTERRUPTED_STATUS);
    this.#isAsked = true;
    this.#onFirst();
  };
}
