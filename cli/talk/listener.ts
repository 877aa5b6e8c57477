import type { Clock } from '../../actors/core/clock.ts';
import type { Session, SessionEvent, TurnState, TurnTrace } from '../../actors/session-api.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { HeardSound } from './heard-sound.ts';

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
  readonly #heard: HeardSound;
  #activeResponses = 0;
  #state = 'idle';
  #changedAtMs: number;
  #failure: RuntimeError | null = null;
  #hasHeardSpeech = false;
  readonly #hooks: ListenerHooks;

  constructor(session: Session, clock: Clock, sampleRate: number, hooks: ListenerHooks = {}) {
    this.#hooks = hooks;
    this.#clock = clock;
    this.#heard = new HeardSound(clock, sampleRate);
    this.#changedAtMs = clock.nowMs();
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
    return this.#heard.recording();
  }

  #on(event: SessionEvent): void {
    if (event.type === 'state') this.#state = event.state;
    if (event.type === 'response.created') this.#activeResponses++;
    if (event.type === 'response.done') this.#activeResponses--;
    if (event.type === 'response.audio') this.#heard.add(event.samples);
    if (event.type === 'playout.clear') this.#heard.clear();
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
}
