import type { Engine, LanguageModelAnswer, LanguageModelWork } from '../../kernels/engine/index.ts';
import { type ActorContext, type ActorDefinition, type Delivered, NEVER_GIVEN_UP } from '../core/actor.ts';
import { type Emit, type EngineDesk, engineBehaviour } from '../core/engine-actor.ts';
import type { EpochRegistry } from '../core/epochs.ts';
import type { Address, Envelope } from '../core/message.ts';
import { Backlog } from './backlog.ts';
import { BatchPlanner } from './batch-planner.ts';
import type { BatchLimits } from './batch-policy.ts';
import { Context, type ContextSettings } from './context.ts';
import { ModelConversation, type ConversationRecord } from './conversation.ts';
import { Generation } from './generation.ts';
import type { LanguageModelOutput, LanguageModelPorts } from './messages.ts';
import type { Reminder } from './reminder.ts';
import { TextDelta } from './text-delta.ts';

export interface LanguageModelDeps {
  readonly engine: Engine;
  readonly epochs: EpochRegistry;
  readonly limits: BatchLimits;
  /** Absent: what is kept stays where it was said. */
  readonly reminder?: Reminder | null;
  /** The sessions' contexts: kept by the caller, because they survive a restart of the actor. Starts empty. */
  readonly records: Map<string, ConversationRecord>;
}

/** Messages of one session that may wait; the actor empties its mailbox at once, so they hardly ever do. */
const CAPACITY = 1024;

/** The language-model actor (ARCHITECTURE.md §5). One per process. */
export function languageModelActor(
  deps: LanguageModelDeps,
): ActorDefinition<LanguageModelPorts, LanguageModelOutput> {
  return {
    name: 'language-model',
    ports: {
      context: { capacity: CAPACITY, overflow: 'fail', fenced: false },
      control: { capacity: CAPACITY, overflow: 'never-drop', fenced: false },
    },
    supervision: NEVER_GIVEN_UP,
    behaviour: engineBehaviour(
      (context, emit) => new LanguageModelDesk(deps, context, emit),
      batch => deps.engine.languageModel.step(batch),
      deps.engine.languageModel.endReply !== undefined,
    ),
  };
}

/** Takes messages to their conversations. */
class LanguageModelDesk implements EngineDesk<LanguageModelPorts, LanguageModelWork, LanguageModelAnswer> {
  readonly #deps: LanguageModelDeps;
  readonly #context: ActorContext;
  readonly #emit: Emit<LanguageModelOutput>;
  readonly #conversations = new Map<string, ModelConversation>();
  readonly #planner: BatchPlanner;

  constructor(deps: LanguageModelDeps, context: ActorContext, emit: Emit<LanguageModelOutput>) {
    this.#deps = deps;
    this.#context = context;
    this.#emit = emit;
    this.#planner = new BatchPlanner(deps.limits);
    // After a restart every session goes on from its record.
    for (const [session, record] of deps.records) {
      this.#open({ session, turn: 0, epoch: deps.epochs.current(session) }, record);
    }
  }

  receive({ port, message }: Delivered<LanguageModelPorts>): void {
    if (port === 'context') this.#conversations.get(message.session)?.handle(message, message.body);
    else this.#control(message);
  }

  plan() {
    return this.#planner.plan(this.#conversations.values());
  }

  stop(): void {
    for (const conversation of this.#conversations.values()) conversation.sequence.reset();
  }

  #control(message: Envelope<LanguageModelPorts['control']>): void {
    const { session, body } = message;
    const conversation = this.#conversations.get(session);
    if (body.type === 'cancel') conversation?.cancel(body.generationId);
    else if (body.type === 'close') {
      conversation?.close();
      this.#conversations.delete(session);
      this.#deps.records.delete(session);
    } else if (!conversation) {
      const record = { context: new Context(this.#contextSettings()), backlog: new Backlog(), running: null };
      this.#deps.records.set(session, record);
      this.#open(message, record);
    }
  }

  #open(address: Address, record: ConversationRecord): void {
    const { engine, epochs } = this.#deps;
    const random = this.#context.random.split(address.session);
    this.#conversations.set(
      address.session,
      new ModelConversation(address, record, {
        engine: engine.languageModel,
        nowMs: () => this.#context.clock.nowMs(),
        emit: this.#emit,
        isStale: ({ session, epoch }) => epochs.isStale(session, epoch),
        newGeneration: (of, command) => {
          const { tokens } = engine.model;
          const text = new TextDelta(engine.tokenizer, tokens);
          return new Generation(of, command, random, text, tokens, this.#context.clock.nowMs());
        },
      }),
    );
  }

  #contextSettings(): ContextSettings {
    const { model, tokenizer } = this.#deps.engine;
    return {
      hiddenSize: model.hiddenSize,
      featureIds: new Set([model.tokens.audioPad, model.tokens.imagePad]),
      maxPositions: model.maxPositions,
      eos: model.tokens.eos,
      pause: model.tokens.pause,
      pads: model.tokens,
      newline: tokenizer.encode('\n'),
      reminder: this.#deps.reminder,
    };
  }
}
