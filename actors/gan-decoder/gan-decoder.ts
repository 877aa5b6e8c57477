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
  /** By session, which has one reply at a time. */
  readonly #replies = new Map<string, ReplySpeech>();
  /** Those of which something came since they last wanted nothing; those served last have the greatest place. */
  readonly #stirring = new Set<ReplySpeech>();
  #places = 0;
  /** Of the epochs, when stale replies were last looked for. */
  #changes = 0;
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
    this.#dropStale();
    if (this.#stirring.size === 0) return [];
    const wanting: ReplySpeech[] = [];
    for (const reply of this.#stirring) {
      if (reply.wantsStep) wanting.push(reply);
      else if (!reply.isInFlight) this.#stirring.delete(reply);
    }
    if (wanting.length > 1) wanting.sort(byPlace);
    const chosen = this.#quarantine.choose(wanting, isSuspect);
    // Where all are served, nobody need stand behind anybody.
    const takesTurns = chosen.length > this.#deps.maxBatch || chosen.length < wanting.length;
    const plans = [];
    for (const reply of chosen) {
      if (plans.length === this.#deps.maxBatch) break;
      const { session } = reply.address;
      const plan = reply.plan();
      if (takesTurns) reply.place = ++this.#places;
      if (plan) plans.push(plan);
      else this.#drop(session);
    }
    return plans;
  }

  #dropStale(): void {
    const { changes } = this.#deps.epochs;
    if (changes === this.#changes) return;
    this.#changes = changes;
    for (const { address } of this.#replies.values())
      if (this.#isStale(address.session, address.epoch)) this.#drop(address.session);
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
      reply.place = ++this.#places;
      this.#replies.set(session, reply);
    }
    this.#stirring.add(reply);
    if (body.type === 'frame') reply.push(body.codes);
    else reply.end();
  }

  #drop(session: string): void {
    const reply = this.#replies.get(session);
    if (!reply) return;
    reply.close();
    this.#replies.delete(session);
    this.#stirring.delete(reply);
  }

  #isStale(session: string, epoch: number): boolean {
    return this.#deps.epochs.isStale(session, epoch);
  }
}

const byPlace = (a: ReplySpeech, b: ReplySpeech): number => a.place - b.place;
const isSuspect = (reply: ReplySpeech): boolean => reply.isSuspect;
