/**
 * Sound from a client that may send it faster than real time: a long piece is handed on in slices, one a turn of the
 * event loop, so that other sessions are not kept waiting, and no more than the model's ear can be behind by.
 */
import type { Session } from '../../actors/session-api.ts';
import type { Timers } from '../guard/index.ts';

/** Handed to the session at once. */
const SLICE_MS = 1000;
/** Sound that the model's ear may be behind by; more waits here, and with it all that this client sends. */
const MAX_UNHEARD_MS = 10_000;
const UNHEARD_POLL_MS = 10;
/** An ear that takes nothing in for so long is not waited for. */
const MAX_UNHEARD_WAIT_MS = 30_000;

export interface AudioIntakeOptions {
  readonly session: Pick<Session, 'unheardMs'>;
  readonly clock: Timers;
  readonly isOpen: () => boolean;
  readonly push: (bytes: Buffer) => void;
}

export class AudioIntake {
  readonly #options: AudioIntakeOptions;

  constructor(options: AudioIntakeOptions) {
    this.#options = options;
  }

  /** At once, where it is short and the ear keeps up. */
  append(bytes: Buffer, bytesPerSecond: number): Promise<void> | void {
    const sliceBytes = (bytesPerSecond * SLICE_MS) / 1000;
    if (bytes.length <= sliceBytes && !this.#isBehind()) return this.#options.push(bytes);
    return this.#appendSlices(bytes, sliceBytes);
  }

  async #appendSlices(bytes: Buffer, sliceBytes: number): Promise<void> {
    const { clock, isOpen, push } = this.#options;
    for (let at = 0; at < bytes.length && isOpen(); at += sliceBytes) {
      await this.#waitUntilHeard();
      if (!isOpen()) return;
      push(bytes.subarray(at, at + sliceBytes));
      await new Promise<void>(resolve => clock.setTimer(0, resolve));
    }
  }

  async #waitUntilHeard(): Promise<void> {
    const { clock, isOpen } = this.#options;
    const giveUpAtMs = clock.nowMs() + MAX_UNHEARD_WAIT_MS;
    while (this.#isBehind() && clock.nowMs() < giveUpAtMs && isOpen())
      await new Promise<void>(resolve => clock.setTimer(UNHEARD_POLL_MS, resolve));
  }

  #isBehind(): boolean {
    return this.#options.session.unheardMs > MAX_UNHEARD_MS;
  }
}
