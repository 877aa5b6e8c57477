import type { AudioEncoderAnswer, AudioEncoderWork, Engine } from '../../kernels/engine/index.ts';
import { type ActorDefinition, type Delivered, NEVER_GIVEN_UP } from '../core/actor.ts';
import { type Emit, type EngineDesk, engineBehaviour, Quarantine } from '../core/engine-actor.ts';
import type { Address, Envelope } from '../core/message.ts';
import {
  type AudioEncoderInput,
  type AudioEncoderOutput,
  type AudioEncoderPorts,
  MAX_OPEN,
} from './messages.ts';
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
  /** By session and id, each session's oldest first. */
  readonly #utterances = new Map<string, Map<string, Utterance>>();
  /** Those of which something was heard since they last wanted nothing; those served last have the greatest place. */
  readonly #stirring = new Set<Utterance>();
  #places = 0;
  readonly #quarantine = new Quarantine();

  constructor(deps: AudioEncoderDeps, emit: Emit<AudioEncoderOutput>) {
    this.#deps = deps;
    this.#emit = emit;
  }

  receive({ port, message }: Delivered<AudioEncoderPorts>): void {
    if (port === 'utterance') this.#hear(message);
    else this.#close(message.session);
  }

  plan() {
    if (this.#stirring.size === 0) return [];
    const wanting: Utterance[] = [];
    for (const utterance of this.#stirring) {
      if (utterance.wantsStep) wanting.push(utterance);
      else if (!utterance.isInFlight) this.#stirring.delete(utterance);
    }
    if (wanting.length > 1) wanting.sort(byPlace);
    const plans = [];
    for (const utterance of this.#quarantine.choose(wanting, isSuspect)) {
      if (plans.length === this.#deps.maxBatch) break;
      const plan = utterance.plan();
      utterance.place = ++this.#places;
      if (plan) plans.push(plan);
      else this.#forget(utterance);
    }
    return plans;
  }

  stop(): void {
    for (const open of this.#utterances.values()) for (const utterance of open.values()) utterance.close();
  }

  #hear(message: Envelope<AudioEncoderInput>): void {
    const { session, body } = message;
    if (body.type === 'begin') {
      this.#begin(message, body.utteranceId);
      return;
    }
    const utterance = this.#utterances.get(session)?.get(body.utteranceId);
    if (!utterance) return;
    if (body.type === 'audio') utterance.push(message, body.samples);
    else if (body.type === 'speculate') utterance.speculate(message, body.speculationId);
    else if (body.type === 'rollback') utterance.rollback(body.speculationId);
    else if (body.type === 'commit') utterance.commit(body.speculationId);
    else if (body.type === 'end') utterance.end(message);
    else utterance.close();
    if (utterance.isOver) this.#forget(utterance);
    else this.#stirring.add(utterance);
  }

  #begin(address: Address, utteranceId: string): void {
    const { session } = address;
    const open = this.#utterances.get(session) ?? new Map<string, Utterance>();
    this.#utterances.set(session, open);
    for (const utterance of open.values()) if (utterance.isOver) this.#forget(utterance);
    const [oldest] = open.values();
    const replaced = open.get(utteranceId) ?? (open.size >= MAX_OPEN ? oldest : undefined);
    if (replaced) {
      replaced.close();
      this.#forget(replaced);
    }
    const { audioEncoder, model } = this.#deps.engine;
    const utterance = new Utterance(utteranceId, address, audioEncoder, model, this.#emit);
    this.#utterances.set(session, open.set(utteranceId, utterance)); // It may have been forgotten with its last.
    utterance.place = ++this.#places;
  }

  #close(session: string): void {
    for (const utterance of this.#utterances.get(session)?.values() ?? []) {
      utterance.close();
      this.#stirring.delete(utterance);
    }
    this.#utterances.delete(session);
  }

  #forget(utterance: Utterance): void {
    const { session, utteranceId } = utterance;
    this.#stirring.delete(utterance);
    const open = this.#utterances.get(session);
    if (open?.get(utteranceId) === utterance) open.delete(utteranceId);
    if (open?.size === 0) this.#utterances.delete(session);
  }
}

const byPlace = (a: Utterance, b: Utterance): number => a.place - b.place;
const isSuspect = (utterance: Utterance): boolean => utterance.isSuspect;
