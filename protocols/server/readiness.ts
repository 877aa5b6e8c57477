import type { Clock } from '../../actors/core/clock.ts';
import { notServing } from '../../actors/health.ts';
import type { Runtime } from '../../actors/session-api.ts';
import { errorAnswer, type HttpAnswer, jsonAnswer } from './socket-server.ts';

const RETRY_AFTER = { 'retry-after': '5' } as const;
/** How often a drain looks whether the last session has ended. */
const DRAIN_LOOK_MS = 50;

/** Whether new sessions may come: every component serves, and the server is not on its way out. */
export class Readiness {
  readonly #runtime: Runtime;
  readonly #clock: Clock;
  #isDraining = false;

  constructor(runtime: Runtime, clock: Clock) {
    this.#runtime = runtime;
    this.#clock = clock;
  }

  /** Of `/readyz`: 200, or 503 with what is missing. */
  answer(): HttpAnswer {
    const missing = notServing(this.#runtime.health);
    const status = this.#isDraining ? 'draining' : missing.length > 0 ? 'not_ready' : 'ready';
    const components = Object.fromEntries(this.#runtime.health.components);
    const sessions = this.#runtime.sessions.size;
    const isReady = status === 'ready';
    return jsonAnswer(isReady ? 200 : 503, { status, sessions, components }, isReady ? {} : RETRY_AFTER);
  }

  /** What a new session is refused with; null: it may come. */
  refusal(): HttpAnswer | null {
    if (this.#isDraining)
      return errorAnswer(
        503,
        'draining',
        'The server is shutting down and takes no new sessions.',
        RETRY_AFTER,
      );
    const missing = notServing(this.#runtime.health);
    if (missing.length > 0) {
      const message = `Not ready: ${missing.join(', ')} is being started again; see /readyz.`;
      return errorAnswer(503, 'not_ready', message, RETRY_AFTER);
    }
    const { sessions, limits } = this.#runtime;
    if (sessions.size < limits.maxSessions) return null;
    return errorAnswer(503, 'runtime_full', `All ${limits.maxSessions} sessions are taken.`, RETRY_AFTER);
  }

  /** No new sessions from now on. Resolves when the last one has ended, at the latest after `limitMs`. */
  drain(limitMs: number): Promise<void> {
    this.#isDraining = true;
    const endMs = this.#clock.nowMs() + limitMs;
    return new Promise(resolve => {
      const look = () => {
        const leftMs = endMs - this.#clock.nowMs();
        if (this.#runtime.sessions.size === 0 || leftMs <= 0) resolve();
        else this.#clock.setTimer(Math.min(DRAIN_LOOK_MS, leftMs), look);
      };
      look();
    });
  }
}
