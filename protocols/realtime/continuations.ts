/**
 * Clients of OpenAI's own service ask for the answer when the server has made a call (`@openai/agents-realtime` does so
 * by itself). Here the answer comes without being asked for, and a client that asks all the same must not get two: its
 * `response.create` is taken for the one that is on its way.
 */
import type { Timer } from '../../actors/core/clock.ts';
import type { Timers } from '../guard/index.ts';
import type { ResponseFields } from './client-events.ts';

/** After a call, or the response that follows it, such a request may still be under way. */
const LATE_MS = 5000;

export class Continuations {
  readonly #clock: Timers;
  /** Calls whose asking has not come. */
  #owed = 0;
  #timer: Timer | null = null;

  constructor(clock: Timers) {
    this.#clock = clock;
  }

  callDone(): void {
    this.#owed += 1;
    this.#wait();
  }

  responseBegan(): void {
    this.stop();
  }

  responseDone(): void {
    if (this.#owed > 0) this.#wait();
  }

  /** Nothing is to be done for it. What has wishes of its own is another matter. */
  takes(fields: ResponseFields): boolean {
    const { tool_choice: _choice, ...wishes } = fields;
    if (this.#owed === 0 || Object.values(wishes).some(value => value !== undefined)) return false;
    this.#owed -= 1;
    return true;
  }

  /** The client goes on with something else: what it asks for now is that. */
  forget(): void {
    this.#owed = 0;
    this.stop();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #wait(): void {
    this.stop();
    this.#timer = this.#clock.setTimer(LATE_MS, () => {
      this.#owed = 0;
    });
  }
}
