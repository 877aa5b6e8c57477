/** What a server does when it is told to end. */
import type { Clock } from '../actors/core/clock.ts';

const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
type StopSignal = keyof typeof SIGNAL_NUMBERS;
const SIGNALS = Object.keys(SIGNAL_NUMBERS) as StopSignal[];
/** An orderly end that takes longer is cut short. */
const MAX_CLOSING_MS = 15_000;

/** What has to be ended; nothing while it is being started. */
export interface Stoppable {
  readonly clock: Clock;
  /** Lets what is open go on for a while; resolves when there is nothing left or the time is over. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/**
 * SIGTERM drains, then closes. A second one, SIGINT and SIGHUP close at once, in order: connections hear 1001,
 * recordings are complete. Another signal while closing, or any while starting, ends the process there and then. Status
 * 0 after an orderly end, else 128 and the signal's number.
 */
export class StopSignals {
  #running: Stoppable | null = null;
  #state: 'running' | 'draining' | 'closing' = 'running';

  constructor() {
    for (const signal of SIGNALS) process.on(signal, () => this.#received(signal));
  }

  /** It has been started: from now on it is ended in order. */
  watch(running: Stoppable): void {
    this.#running = running;
  }

  #received(signal: StopSignal): void {
    const running = this.#running;
    if (!running || this.#state === 'closing') {
      console.error(`${signal}: ended ${running ? 'while closing' : 'while starting'}.`);
      process.exit(128 + SIGNAL_NUMBERS[signal]);
    }
    if (signal === 'SIGTERM' && this.#state === 'running') {
      this.#state = 'draining';
      console.error(
        'SIGTERM: no new sessions; those that are open may end. Again, or Ctrl-C, closes them now.',
      );
      void running.drain().then(() => this.#close(running));
    } else void this.#close(running);
  }

  async #close(running: Stoppable): Promise<void> {
    if (this.#state === 'closing') return;
    this.#state = 'closing';
    running.clock.setTimer(MAX_CLOSING_MS, () => {
      console.error('Closing took too long and was cut short.');
      process.exit(1);
    });
    await running.close();
    process.exit(0);
  }
}
