/** Hands over what the voice model delegates, to whom the session says (docs/spec/gpt-live.md §8). */
import type { Session, SessionEvent, Tool } from '../../../actors/session-api.ts';
import { refusal } from '../../json/index.ts';
import type { Addition } from '../client-events.ts';
import type { Outbox } from '../outbox.ts';
import type { DelegationConfig } from '../session-config.ts';
import type { Timeline } from '../timeline.ts';
import type { Backend } from './backend.ts';
import { ClientDelegation } from './client-delegation.ts';
import { Delegations } from './delegations.ts';
import { type ResponsesInput, ResponsesDelegation } from './responses-delegation.ts';

export interface DelegatingOptions {
  readonly config: () => DelegationConfig;
  /** Null: none is configured, and none was asked for. */
  readonly backend: Backend | null;
  readonly timeline: Timeline;
  readonly outbox: Outbox;
  readonly session: () => Session;
  /** What the context holds last is to be told. */
  readonly tell: () => void;
  readonly comment: (text: string) => void;
  readonly onFailed: (error: unknown) => void;
}

export class Delegating {
  readonly #delegations: Delegations;
  readonly #client = new ClientDelegation();
  readonly #responses: ResponsesDelegation | null = null;

  constructor(options: DelegatingOptions) {
    const { backend, comment, config, onFailed, outbox, session, tell, timeline } = options;
    const target = config().type;
    if (target === 'responses' && backend) {
      this.#responses = new ResponsesDelegation({
        ...{ backend, onFailed, outbox, session, onText: comment },
        config: () => {
          const now = config();
          return now.type === 'responses' ? now.responses : { model: '' };
        },
      });
    }
    const handedTo = this.#responses ?? this.#client;
    this.#delegations = new Delegations({
      ...{ target, timeline, outbox, onUntold: tell },
      begin: delegation => handedTo.begin(delegation),
    });
  }

  get tool(): Tool {
    return this.#delegations.tool;
  }

  /** Takes the answer to a delegation; false: an addition like any other. Throws a refusal. */
  readonly answers = (addition: Addition & { readonly delegation_id: string }): boolean => {
    if (!this.#responses) return this.#client.take(addition);
    const message = 'The backend answers what is delegated here; give null.';
    throw refusal('unsupported_value', message, 'delegation_id');
  };

  /** Throws a refusal. */
  createItem(item: ResponsesInput): void {
    this.#backend.createItem(item);
  }

  /** Throws a refusal. */
  createResponse(): void {
    this.#backend.create();
  }

  observe(event: SessionEvent): void {
    this.#delegations.observe(event);
  }

  left(): void {
    this.#delegations.left();
  }

  close(): void {
    this.#responses?.close();
  }

  get #backend(): ResponsesDelegation {
    if (this.#responses) return this.#responses;
    throw refusal(
      'unsupported_event',
      'This session delegates to no backend; its own client answers.',
      'type',
    );
  }
}
