import type { AudioEncoderAnswer, AudioEncoderWork, Engine } from '../../kernels/engine/index.ts';
import { type ActorDefinition, type Delivery, NEVER_GIVEN_UP } from '../core/actor.ts';
import { type Emit, type EngineDesk, engineBehaviour, Quarantine } from '../core/engine-actor.ts';
import type { Envelope } from '../core/message.ts';
import type { AudioEncoderInput, AudioEncoderOutput, AudioEncoderPorts } from './messages.ts';
import { Utterance } from './utterance.ts';

export interface AudioEncoderDeps {
  readonly engine: Engine;
  readonly maxBatch: number;
}

/** 20 ms packets of one session that may wait; the actor empties its mailbox at once. */
const CAPACITY = 1024;

/** The audio-encoder actor. One per process. */
export function audioEncoderActor(
  deps: AudioEncoderDeps,
): ActorDefinition<AudioEncoderPorts, AudioEncoderOutput> {
  return {
    name: 'audio-encoder',
    ports: {
      utterance: { capacity: CAPACITY, overflow: 'fail', fenced: false },
      control: { capacity: CAPACITY, overflow: 'never-drop', fenced: false },
    },
    supervision: NEVER_GIVEN_UP,
    behaviour: engineBehaviour(
      (_context, emit) => new AudioEncoderDesk(deps, emit),
      batch => deps.engine.audioEncoder.step(batch),
    ),
  };
}

class AudioEncoderDesk implements EngineDesk<AudioEncoderPorts, AudioEncoderWork, AudioEncoderAnswer> {
  readonly #deps: AudioEncoderDeps;
  readonly #emit: Emit<AudioEncoderOutput>;
  /** By session; those served last stand last. */
  readonly #utterances = new Map<string, Utterance>();
  readonly #quarantine = new Quarantine();

  constructor(deps: AudioEncoderDeps, emit: Emit<AudioEncoderOutput>) {
    this.#deps = deps;
    this.#emit = emit;
  }

  receive({ port, message }: Delivery<AudioEncoderPorts>): void {
    if (port === 'utterance') this.#hear(message);
    else this.#drop(message.session);
  }

  plan() {
    const wanting: Utterance[] = [];
    for (const utterance of this.#utterances.values()) if (utterance.wantsStep) wanting.push(utterance);
    const plans = [];
    for (const utterance of this.#quarantine.choose(wanting, isSuspect)) {
      if (plans.length === this.#deps.maxBatch) break;
      const { session } = utterance;
      const plan = utterance.plan();
      this.#utterances.delete(session);
      if (!plan) continue;
      plans.push(plan);
      this.#utterances.set(session, utterance);
    }
    return plans;
  }

  stop(): void {
    for (const session of this.#utterances.keys()) this.#drop(session);
  }

  #hear(message: Envelope<AudioEncoderInput>): void {
    const { session, body } = message;
    if (body.type === 'begin') {
      this.#drop(session);
      const { audioEncoder, model } = this.#deps.engine;
      const utterance = new Utterance(body.utteranceId, message, audioEncoder, model.hiddenSize, this.#emit);
      this.#utterances.set(session, utterance);
      return;
    }
    const utterance = this.#utterances.get(session);
    if (utterance?.utteranceId !== body.utteranceId) return;
    if (body.type === 'audio') utterance.push(message, body.samples);
    else if (body.type === 'speculate') utterance.speculate(message, body.speculationId);
    else if (body.type === 'rollback') utterance.rollback(body.speculationId);
    else if (body.type === 'commit') utterance.commit(body.speculationId);
    else if (body.type === 'end') utterance.end(message);
    else this.#drop(session);
    if (utterance.isOver) this.#utterances.delete(session);
  }

  #drop(session: string): void {
    this.#utterances.get(session)?.close();
    this.#utterances.delete(session);
  }
}

const isSuspect = (utterance: Utterance): boolean => utterance.isSuspect;
