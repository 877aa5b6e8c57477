/**
 * What a session sends to its own actors and to the shared ones, addressed with its turn and epoch
 * (ARCHITECTURE.md §3).
 */
import type { AudioEncoderOutput, AudioEncoderPorts } from '../audio-encoder/index.ts';
import type { ChunkInterleaverPorts } from '../chunk-interleaver/index.ts';
import type { ActorRef } from '../core/actor.ts';
import type { Demultiplexer } from '../core/demultiplexer.ts';
import type { EpochRegistry } from '../core/epochs.ts';
import type { Address, Envelope } from '../core/message.ts';
import type { GanDecoderOutput, GanDecoderPorts } from '../gan-decoder/index.ts';
import type { LanguageModelOutput, LanguageModelPorts } from '../language-model/index.ts';
import type { FrameSamplingPorts, PerceivePorts } from '../perceive/index.ts';
import type { PlayOutPorts } from '../play-out/index.ts';
import type { TurnEvent } from '../turn-taking/index.ts';
import type { VisionEncoderOutput, VisionEncoderPorts } from '../vision-encoder/index.ts';
import type { Stages } from './stages.ts';

/** The engine-owning actors of a process, shared by its sessions. */
export interface Pipeline {
  readonly audioEncoder: ActorRef<AudioEncoderPorts, AudioEncoderOutput>;
  readonly visionEncoder: ActorRef<VisionEncoderPorts, VisionEncoderOutput>;
  readonly languageModel: ActorRef<LanguageModelPorts, LanguageModelOutput>;
  readonly ganDecoder: ActorRef<GanDecoderPorts, GanDecoderOutput>;
  readonly epochs: EpochRegistry;
}

/** What they say, to each session apart. */
export interface SharedOutputs {
  readonly audioEncoder: Demultiplexer<Envelope<AudioEncoderOutput>>;
  readonly visionEncoder: Demultiplexer<Envelope<VisionEncoderOutput>>;
  readonly languageModel: Demultiplexer<Envelope<LanguageModelOutput>>;
  readonly ganDecoder: Demultiplexer<Envelope<GanDecoderOutput>>;
}

export class Line {
  turn = 0;
  readonly #session: string;
  readonly #pipeline: Pipeline;
  readonly #stages: Stages;

  constructor(session: string, pipeline: Pipeline, stages: Stages) {
    this.#session = session;
    this.#pipeline = pipeline;
    this.#stages = stages;
  }

  perceive<P extends keyof PerceivePorts>(port: P, body: PerceivePorts[P]): void {
    this.#stages.perceive.send(port, this.#envelope(body));
  }

  frameSampling<P extends keyof FrameSamplingPorts>(port: P, body: FrameSamplingPorts[P]): void {
    this.#stages.frameSampling.send(port, this.#envelope(body));
  }

  chunkInterleaver<P extends keyof ChunkInterleaverPorts>(port: P, body: ChunkInterleaverPorts[P]): void {
    this.#stages.chunkInterleaver.send(port, this.#envelope(body));
  }

  turnTaking(edge: TurnEvent): void {
    this.#stages.turnTaking.send('edges', this.#envelope(edge));
  }

  playOut<P extends keyof PlayOutPorts>(port: P, body: PlayOutPorts[P], of?: Address): void {
    this.#stages.playOut.send(port, this.#envelope(body, of));
  }

  audioEncoder<P extends keyof AudioEncoderPorts>(port: P, body: AudioEncoderPorts[P]): void {
    this.#pipeline.audioEncoder.send(port, this.#envelope(body));
  }

  visionEncoder<P extends keyof VisionEncoderPorts>(port: P, body: VisionEncoderPorts[P]): void {
    this.#pipeline.visionEncoder.send(port, this.#envelope(body));
  }

  languageModel<P extends keyof LanguageModelPorts>(port: P, body: LanguageModelPorts[P]): void {
    this.#pipeline.languageModel.send(port, this.#envelope(body));
  }

  /** `of` is the message that this one follows from: it keeps its epoch, so that it dies with it. */
  ganDecoder<P extends keyof GanDecoderPorts>(port: P, body: GanDecoderPorts[P], of?: Address): void {
    this.#pipeline.ganDecoder.send(port, this.#envelope(body, of));
  }

  isStale(of: Address): boolean {
    return this.#pipeline.epochs.isStale(this.#session, of.epoch);
  }

  /** Ends the session's present future: what is under way on the agent's side becomes stale at once. */
  raiseEpoch(): void {
    this.#pipeline.epochs.raise(this.#session);
  }

  close(): void {
    const body = { type: 'close' } as const;
    this.audioEncoder('control', body);
    this.visionEncoder('control', body);
    this.languageModel('control', body);
    this.ganDecoder('control', body);
  }

  #envelope<T>(body: T, of?: Address): Envelope<T> {
    return {
      session: this.#session,
      turn: of ? of.turn : this.turn,
      epoch: of ? of.epoch : this.#pipeline.epochs.current(this.#session),
      body,
    };
  }
}
