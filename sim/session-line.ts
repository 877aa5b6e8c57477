/** All that the simulated world does to a session, in one place; times are milliseconds here, samples beyond. */
import type { Observable } from 'rxjs';
import type { Runtime, Session, SessionEvent, SessionSettings } from '../actors/session-api.ts';

const PICTURE = { width: 1, height: 1, data: new Uint8Array(3) };

export class SessionLine {
  readonly events$: Observable<SessionEvent>;
  /** Null when it is over: a call is kept for its figures, and would keep all that was said in it. */
  #session: Session | null;
  readonly #samplesPerMs: number;

  constructor(runtime: Runtime, settings: Partial<SessionSettings>, id: string, outputSampleRate: number) {
    // What a modelled engine says repeats itself by design.
    this.#session = runtime.openSession({ ...settings, babble: null }, { id });
    this.events$ = this.#session.events$;
    this.#samplesPerMs = outputSampleRate / 1000;
  }

  audio(samples: Float32Array): void {
    this.#session?.send({ type: 'audio', samples });
  }

  picture(): void {
    this.#session?.send({ type: 'picture', image: PICTURE });
  }

  /** How much of an item the far end has played. */
  heard(itemId: string, playedMs: number): void {
    const samples = Math.round(playedMs * this.#samplesPerMs);
    this.#session?.send({ type: 'played', itemId, samples });
  }

  /** Of sound that the session sends. */
  lengthMs(samples: Float32Array): number {
    return samples.length / this.#samplesPerMs;
  }

  hangUp(): void {
    const session = this.#session;
    this.#session = null;
    session?.close('hung up');
  }
}
