/**
 * What the client adds to the context (docs/spec/gpt-live.md §7); it takes effect at the next turn, and nothing that is being said breaks
 * off. Instructions join those that stand first, so they stay when the oldest turns leave the context. Thinking stands where it came.
 * Commentary stands there too, and is told as soon as nobody has the floor.
 */
import type { Session, TurnState } from '../../actors/session-api.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Timers } from '../guard/index.ts';
import { refusal } from '../json/index.ts';
import type { Addition } from './client-events.ts';

export interface AdditionsOptions {
  readonly session: Session;
  readonly clock: Timers;
  /** Commentary that cannot be told. */
  readonly onFailed: (error: unknown) => void;
}

export class Additions {
  readonly #options: AdditionsOptions;
  #state: TurnState = 'idle';
  #owesReply = false;

  constructor(options: AdditionsOptions) {
    this.#options = options;
  }

  /** Throws a refusal. */
  add({ type, content, delegation_id }: Addition): void {
    const { session } = this.#options;
    if (delegation_id !== null) {
      const message = `There is no delegation ${JSON.stringify(delegation_id.slice(0, 100))}: this model has delegated nothing.`;
      throw refusal('unknown_delegation', message, 'delegation_id');
    }
    if (type === 'session.instructions.append') {
      const { instructions } = session.settings;
      const joined = instructions === '' ? content : `${instructions}\n${content}`;
      session.send({ type: 'settings.update', settings: { instructions: joined } });
      return;
    }
    session.send({ type: 'item.add', item: { role: 'system', content: [{ type: 'text', text: content }] } });
    if (type !== 'session.commentary.append') return;
    this.#owesReply = true;
    this.#speak();
  }

  stateChanged(state: TurnState): void {
    this.#state = state;
    // Not from within what the session is doing now.
    if (state === 'idle' && this.#owesReply) this.#options.clock.setTimer(0, () => this.#speak());
  }

  #speak(): void {
    if (!this.#owesReply || this.#state !== 'idle') return;
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
