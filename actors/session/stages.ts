/** The actors that a session has for itself. Their number is fixed, so a session costs five mailboxes. */
import type { ModelDescription } from '../../kernels/engine/index.ts';
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
  type PerceiveOutput,
  type PerceivePorts,
  perceiveActor,
  type VoiceActivityDetector,
} from '../perceive/index.ts';
import {
  type HeardLedger,
  type PlayOutOutput,
  type PlayOutPorts,
  playOutActor,
  type Speaker,
} from '../play-out/index.ts';
import type { RuntimeLimits, SessionSettings } from '../session-api.ts';
import {
  TURN_DELAYS,
  type TurnTakingOutput,
  type TurnTakingPorts,
  turnTakingActor,
} from '../turn-taking/index.ts';
import { turnPolicy } from './settings.ts';

export interface Stages {
  readonly perceive: SpawnedActor<PerceivePorts, PerceiveOutput>;
  readonly frameSampling: SpawnedActor<FrameSamplingPorts, FrameSamplingOutput>;
  readonly chunkInterleaver: SpawnedActor<ChunkInterleaverPorts, ChunkInterleaverOutput>;
  readonly turnTaking: SpawnedActor<TurnTakingPorts, TurnTakingOutput>;
  readonly playOut: SpawnedActor<PlayOutPorts, PlayOutOutput>;
}

export interface StageDeps {
  readonly system: ActorSystem;
  readonly model: ModelDescription;
  readonly limits: RuntimeLimits;
  readonly detector: VoiceActivityDetector;
  readonly rejectsEcho: boolean;
}

/** Sparse units kept for the next user turn: four minutes at 0.5 fps. */
const MAX_SPARSE_UNITS = 120;

/** An actor is spawned after those it sends to. */
export function spawnStages(
  deps: StageDeps,
  settings: SessionSettings,
  ledger: HeardLedger,
  speaker: Speaker,
): Stages {
  const { detector, limits, model, rejectsEcho, system } = deps;
  const { turnDetection } = settings;
  const { reportGraceMs } = TURN_DELAYS;
  const { inputSampleRate, outputSampleRate, hiddenSize } = model;
  const ear = {
    detector,
    rejectsEcho,
    sampleRate: inputSampleRate,
    outputSampleRate,
    maxUtteranceMs: limits.maxBufferedSpeechMs,
    turnDetection,
  };
  return {
    playOut: spawn(playOutActor({ ledger, sampleRate: outputSampleRate, speaker, reportGraceMs }), system),
    chunkInterleaver: spawn(chunkInterleaverActor({ hiddenSize, maxSparseUnits: MAX_SPARSE_UNITS }), system),
    turnTaking: spawn(turnTakingActor(turnPolicy(settings)), system),
    frameSampling: spawn(frameSamplingActor(), system),
    perceive: spawn(perceiveActor(ear), system),
  };
}

export function stopStages(stages: Stages): void {
  const { chunkInterleaver, frameSampling, perceive, playOut, turnTaking } = stages;
  for (const stage of [perceive, frameSampling, turnTaking, chunkInterleaver, playOut]) stage.stop();
}
