/**
 * What the client adds to the context (docs/spec/gpt-live.md §7); it takes effect at the next turn, and nothing that is
 * being said breaks off. Instructions join those that stand first, so they stay when the oldest turns leave the
 * context. Thinking stands where it came. Commentary stands there too, and is told as soon as nobody has the floor.
 */
import type { Session, TurnState } from '../../actors/session-api.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Timers } from '../guard/index.ts';
import type { Addition } from './client-events.ts';

export interface AdditionsOptions {
  readonly session: Session;
  readonly clock: Timers;
  /** Takes what answers a delegation, and says so; throws a refusal of an id that is none. */
  readonly answers: (addition: Addition & { readonly delegation_id: string }) => boolean;
  /** Commentary that cannot be told. */
  readonly onFailed: (error: unknown) => void;
}

export class Additions {
  readonly #options: AdditionsOptions;
  #state: TurnState = 'idle';
  #owesReply = false;
  /** A delegation has its answer, and the agent is about to go on with it. */
  #goesOn = false;

  constructor(options: AdditionsOptions) {
    this.#options = options;
  }

  /** Throws a refusal. */
  add(addition: Addition): void {
    const { answers, session } = this.#options;
    const { content, delegation_id, type } = addition;
    if (delegation_id !== null && answers({ ...addition, delegation_id })) {
      this.#goesOn = this.#state === 'working';
      return;
    }
    if (type === 'session.instructions.append') {
      const { instructions } = session.settings;
      const joined = instructions === '' ? content : `${instructions}\n${content}`;
      session.send({ type: 'settings.update', settings: { instructions: joined } });
      return;
    }
    session.send({ type: 'item.add', item: { role: 'system', content: [{ type: 'text', text: content }] } });
    if (type === 'session.commentary.append') this.tell();
  }

  /** What the context holds last is to be told as soon as nobody has the floor. */
  tell(): void {
    // The reply that goes on at once finds it there.
    if (this.#goesOn) return;
    this.#owesReply = true;
    this.#speak();
  }

  /** The same, with words of a backend's. */
  comment(text: string): void {
    if (text.trim() === '') return;
    this.add({ type: 'session.commentary.append', content: text, delegation_id: null });
  }

  stateChanged(state: TurnState): void {
    this.#state = state;
    this.#goesOn = false;
    // Not from within what the session is doing now.
    if (isFree(state) && this.#owesReply) this.#options.clock.setTimer(0, () => this.#speak());
  }

  #speak(): void {
    if (!this.#owesReply || !isFree(this.#state)) return;
    this.#owesReply = false;
    try {
      this.#options.session.send({ type: 'response.create' });
    } catch (error) {
      const isActive = error instanceof RuntimeError && error.code === 'response.active';
      if (isActive) this.#owesReply = true;
      else this.#options.onFailed(error);
    }
  }
}

/** Nobody speaks; an agent that waits for what it has handed over may. */
const isFree = (state: TurnState): boolean => state === 'idle' || state === 'working';
