/** The actors that a session has for itself. Their number is fixed, so a session costs five mailboxes. */
import {
  type ChunkInterleaverOutput,
  type ChunkInterleaverPorts,
  chunkInterleaverActor,
} from '../chunk-interleaver/index.ts';
import { type ActorSystem, type SpawnedActor, spawn } from '../core/index.ts';
import {
  type FrameSamplingOutput,
  type FrameSamplingPorts,
  frameSamplingActor,
  type PerceiveDeps,
  type PerceiveOutput,
  type PerceivePorts,
  perceiveActor,
} from '../perceive/index.ts';
import { type PlayOutDeps, type PlayOutOutput, type PlayOutPorts, playOutActor } from '../play-out/index.ts';
import {
  type TurnPolicy,
  type TurnTakingOutput,
  type TurnTakingPorts,
  turnTakingActor,
} from '../turn-taking/index.ts';

export interface Stages {
  readonly perceive: SpawnedActor<PerceivePorts, PerceiveOutput>;
  readonly frameSampling: SpawnedActor<FrameSamplingPorts, FrameSamplingOutput>;
  readonly chunkInterleaver: SpawnedActor<ChunkInterleaverPorts, ChunkInterleaverOutput>;
  readonly turnTaking: SpawnedActor<TurnTakingPorts, TurnTakingOutput>;
  readonly playOut: SpawnedActor<PlayOutPorts, PlayOutOutput>;
}

export interface StageOptions {
  readonly perceive: PerceiveDeps;
  readonly playOut: PlayOutDeps;
  readonly policy: TurnPolicy;
  readonly hiddenSize: number;
}

/** Sparse units kept for the next user turn: four minutes at 0.5 fps. */
const MAX_SPARSE_UNITS = 120;

/** An actor is spawned after those it sends to. */
export function spawnStages(system: ActorSystem, options: StageOptions): Stages {
  const { hiddenSize } = options;
  return {
    playOut: spawn(playOutActor(options.playOut), system),
    chunkInterleaver: spawn(chunkInterleaverActor({ hiddenSize, maxSparseUnits: MAX_SPARSE_UNITS }), system),
    turnTaking: spawn(turnTakingActor(options.policy), system),
    frameSampling: spawn(frameSamplingActor(), system),
    perceive: spawn(perceiveActor(options.perceive), system),
  };
}

export function stopStages(stages: Stages): void {
  const { chunkInterleaver, frameSampling, perceive, playOut, turnTaking } = stages;
  for (const stage of [perceive, frameSampling, turnTaking, chunkInterleaver, playOut]) stage.stop();
}
