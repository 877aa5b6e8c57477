import type { Clock } from '../../actors/core/clock.ts';
import type { Session, SessionEvent, TurnState, TurnTrace } from '../../actors/session-api.ts';
import { RuntimeError } from '../../kernels/errors.ts';

const MAX_HEARD_MS = 4 * 3_600_000;

/** Who wants to know at once. */
export interface ListenerHooks {
  readonly onTurn?: (trace: TurnTrace) => void;
  readonly onState?: (state: TurnState) => void;
  /** Sound that leaves towards the ear now, and its being thrown away. */
  readonly onAudio?: (samples: Float32Array) => void;
  readonly onClear?: () => void;
}

/** Hears the agent: keeps every sample at the time it left towards the ear, and the account of each turn. */
export class Listener {
  readonly traces: TurnTrace[] = [];
  readonly #clock: Clock;
  readonly #sampleRate: number;
  readonly #startedAtMs: number;
  readonly #pieces: { at: number; samples: Float32Array }[] = [];
  #playedUntil = 0;
  #activeResponses = 0;
  #state = 'idle';
  #changedAtMs: number;
  #failure: RuntimeError | null = null;
  #hasHeardSpeech = false;
  readonly #hooks: ListenerHooks;

  constructor(session: Session, clock: Clock, sampleRate: number, hooks: ListenerHooks = {}) {
    this.#hooks = hooks;
    this.#clock = clock;
    this.#sampleRate = sampleRate;
    this.#startedAtMs = this.#changedAtMs = clock.nowMs();
    session.events$.subscribe(event => this.#on(event));
  }

  /** Milliseconds since the conversation came to rest: nobody speaks, nothing is being said. */
  restedForMs(): number {
    const isBusy = this.#state !== 'idle' || this.#activeResponses > 0;
    return isBusy ? 0 : this.#clock.nowMs() - this.#changedAtMs;
  }

  /** Whether the user was heard to speak at all. */
  get hasHeardSpeech(): boolean {
    return this.#hasHeardSpeech;
  }

  get failure(): RuntimeError | null {
    return this.#failure;
  }

  /** The agent's side of the conversation from the start, silence included. */
  recording(): Float32Array {
    const recording = new Float32Array(this.#playedUntil);
    for (const { at, samples } of this.#pieces)
      recording.set(samples.subarray(0, Math.max(0, recording.length - at)), at);
    return recording;
  }

  #on(event: SessionEvent): void {
    if (event.type === 'state') this.#state = event.state;
    if (event.type === 'response.created') this.#activeResponses++;
    if (event.type === 'response.done') this.#activeResponses--;
    if (event.type === 'response.audio') this.#hear(event.samples);
    if (event.type === 'playout.clear') this.#clear();
    if (event.type === 'speech.started') this.#hasHeardSpeech = true;
    if (event.type === 'turn.trace') this.traces.push(event.trace);
    if (event.type === 'error' && event.fatal) this.#failure = new RuntimeError(event.code, event.message);
    if (event.type !== 'duck') this.#changedAtMs = this.#clock.nowMs();
    this.#tell(event);
  }

  #tell(event: SessionEvent): void {
    if (event.type === 'turn.trace') this.#hooks.onTurn?.(event.trace);
    if (event.type === 'state') this.#hooks.onState?.(event.state);
    if (event.type === 'response.audio') this.#hooks.onAudio?.(event.samples);
    if (event.type === 'playout.clear') this.#hooks.onClear?.();
  }

  #now(): number {
    return Math.round(((this.#clock.nowMs() - this.#startedAtMs) * this.#sampleRate) / 1000);
  }

  #hear(samples: Float32Array): void {
    const at = Math.max(this.#now(), this.#playedUntil);
    if (at > (MAX_HEARD_MS / 1000) * this.#sampleRate) return;
    this.#pieces.push({ at, samples });
    this.#playedUntil = at + samples.length;
  }

  /** What has not been played yet never will be. */
  #clear(): void {
    this.#playedUntil = Math.min(this.#playedUntil, this.#now());
  }
}
