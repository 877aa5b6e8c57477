import type { Engine, GanDecoderAnswer, GanDecoderWork } from '../../kernels/engine/index.ts';
import { type ActorDefinition, type Delivered, NEVER_GIVEN_UP } from '../core/actor.ts';
import { type Emit, type EngineDesk, engineBehaviour, Quarantine } from '../core/engine-actor.ts';
import type { EpochRegistry } from '../core/epochs.ts';
import type { Envelope } from '../core/message.ts';
import type { GanDecoderInput, GanDecoderOutput, GanDecoderPorts } from './messages.ts';
import { ReplySpeech } from './reply-speech.ts';

export interface GanDecoderDeps {
  readonly engine: Engine;
  readonly epochs: EpochRegistry;
  readonly maxBatch: number;
}

/** Code frames of one session that may wait; the actor empties its mailbox at once. */
const CAPACITY = 1024;

/** The GAN-decoder actor. One per process. */
export function ganDecoderActor(deps: GanDecoderDeps): ActorDefinition<GanDecoderPorts, GanDecoderOutput> {
  return {
    name: 'gan-decoder',
    ports: {
      frames: { capacity: CAPACITY, overflow: 'fail', fenced: true },
      control: { capacity: CAPACITY, overflow: 'never-drop', fenced: false },
    },
    supervision: NEVER_GIVEN_UP,
    behaviour: engineBehaviour(
      (_context, emit) => new GanDecoderDesk(deps, emit),
      batch => deps.engine.ganDecoder.step(batch),
    ),
  };
}

class GanDecoderDesk implements EngineDesk<GanDecoderPorts, GanDecoderWork, GanDecoderAnswer> {
  readonly #deps: GanDecoderDeps;
  readonly #emit: Emit<GanDecoderOutput>;
  /** By session, which has one reply at a time; those served last stand last. */
  readonly #replies = new Map<string, ReplySpeech>();
  /** By session: the reply that was last discarded, whose frames may still arrive. */
  readonly #discarded = new Map<string, string>();
  readonly #quarantine = new Quarantine();

  constructor(deps: GanDecoderDeps, emit: Emit<GanDecoderOutput>) {
    this.#deps = deps;
    // What became stale during its step never becomes sound.
    this.#emit = (address, body) => {
      if (!this.#isStale(address.session, address.epoch)) emit(address, body);
    };
  }

  receive({ port, message }: Delivered<GanDecoderPorts>): void {
    if (port === 'frames') this.#take(message);
    else {
      const { session, body } = message;
      if (body.type === 'close') {
        this.#drop(session);
        this.#discarded.delete(session);
      } else {
        this.#discarded.set(session, body.generationId);
        if (this.#replies.get(session)?.generationId === body.generationId) this.#drop(session);
      }
    }
  }

  plan() {
    const wanting: ReplySpeech[] = [];
    for (const reply of this.#replies.values()) {
      const { session, epoch } = reply.address;
      if (this.#isStale(session, epoch)) this.#drop(session);
      else if (reply.wantsStep) wanting.push(reply);
    }
    const chosen = this.#quarantine.choose(wanting, isSuspect);
    // Where all are served, nobody need stand behind anybody.
    const takesTurns = chosen.length > this.#deps.maxBatch || chosen.length < wanting.length;
    const plans = [];
    for (const reply of chosen) {
      if (plans.length === this.#deps.maxBatch) break;
      const { session } = reply.address;
      const plan = reply.plan();
      if (takesTurns || !plan) this.#replies.delete(session);
      if (!plan) continue;
      plans.push(plan);
      if (takesTurns) this.#replies.set(session, reply);
    }
    return plans;
  }

  stop(): void {
    for (const session of [...this.#replies.keys()]) this.#drop(session);
  }

  #take(message: Envelope<GanDecoderInput>): void {
    const { session, body } = message;
    if (this.#discarded.get(session) === body.generationId) return;
    let reply = this.#replies.get(session);
    if (reply?.generationId !== body.generationId) {
      this.#drop(session);
      const { ganDecoder, model } = this.#deps.engine;
      reply = new ReplySpeech(body.generationId, message, ganDecoder, model.samplesPerCodeFrame, this.#emit);
      this.#replies.set(session, reply);
    }
    if (body.type === 'frame') reply.push(body.codes);
    else reply.end();
  }

  #drop(session: string): void {
    this.#replies.get(session)?.close();
    this.#replies.delete(session);
  }

  #isStale(session: string, epoch: number): boolean {
    return this.#deps.epochs.isStale(session, epoch);
  }
}

const isSuspect = (reply: ReplySpeech): boolean => reply.isSuspect;
