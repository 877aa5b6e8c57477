/**
 * The user's side of a session: what perceive hears becomes the user turn, what the eye picks goes to the vision
 * encoder, and what the encoders answer to the chunk interleaver.
 */
import type { ModelDescription, Positions } from '../../kernels/engine/index.ts';
import type { AudioEncoderOutput } from '../audio-encoder/index.ts';
import { type ChunkInterleaverOutput, type Piece, SPARSE_UNIT } from '../chunk-interleaver/index.ts';
import type { Clock } from '../core/clock.ts';
import {
  type Edge,
  FRAME_MS,
  Framer,
  type FrameSamplingOutput,
  type PerceiveOutput,
  type SampledUnit,
  type SoundEvidence,
} from '../perceive/index.ts';
import type { AudioCommand, PictureCommand, SessionSettings, TurnDetection } from '../session-api.ts';
import type { VisionEncoderOutput } from '../vision-encoder/index.ts';
import type { ContextQueue } from './context-queue.ts';
import type { Conversation } from './conversation.ts';
import { Glance, type GlanceDeps } from './glance.ts';
import type { Line } from './line.ts';
import { MediaTime } from './media-time.ts';
import type { SoundWay } from './turn-account.ts';
import { UserTurn, type UserTurnDeps } from './user-turn.ts';

export interface ListeningDeps {
  readonly clock: Clock;
  readonly line: Line;
  readonly queue: ContextQueue;
  readonly conversation: Conversation;
  readonly model: ModelDescription;
  readonly settings: () => SessionSettings;
  readonly write: (itemId: string, pieces: readonly Piece[]) => Positions;
}

export interface ListeningEvents {
  /** A step of the way to the reply is over. */
  readonly mark: (cause: string) => void;
  /** Edges of user speech, in the order of the audio. */
  readonly onEdge: (edge: Edge) => void;
  readonly onEvidence: (evidence: SoundEvidence) => void;
  /** A turn that a client commits by hand has its first audio. */
  readonly onManualTurn: () => void;
  /** Manual audio beyond the limit is not kept. */
  readonly onOverflow: () => void;
}

export class Listening {
  /** The open turn. */
  turn: UserTurn | null = null;
  readonly #deps: ListeningDeps;
  readonly #on: ListeningEvents;
  readonly #framer: Framer;
  readonly #mediaTime = new MediaTime();
  /** What waits for a frame to be full holds lost sound. */
  #endedLost = false;
  /** Turns that are over but whose tail is still being encoded. */
  readonly #ending = new Set<UserTurn>();
  /** Glances whose pictures are still being encoded. */
  readonly #glances = new Map<string, Glance>();
  #onLooked: ((unit: SampledUnit | null) => void) | null = null;
  #isTelephone = false;
  #pushedSamples = 0;
  /** Of the newest sound; null: nothing is known of it. */
  #waitedMs: number | null = null;
  #lateMs = 0;
  #heldBackMs = 0;
  #sparseUnits = 0;
  /** Sparse units that are being encoded, and whether there were any since they were last put before a turn. */
  readonly #sparse = new Set<string>();
  #sawSparse = false;

  constructor(deps: ListeningDeps, on: ListeningEvents) {
    this.#deps = deps;
    this.#on = on;
    this.#framer = new Framer((deps.model.inputSampleRate * FRAME_MS) / 1000);
  }

  /** Session-clock time of a place in the audio (ms since the session opened), taking the newest sample as now. */
  clockMs(positionMs: number): number {
    const pushedMs = (this.#pushedSamples * 1000) / this.#deps.model.inputSampleRate;
    const behindMs =
      Math.max(0, pushedMs - positionMs) + (this.#waitedMs ?? 0) + this.#lateMs + this.#heldBackMs;
    return Math.max(0, this.#deps.clock.nowMs() - behindMs);
  }

  /** How a place in the newest packet came here; null where the transport tells nothing of packets. */
  wayOf(positionMs: number): SoundWay | null {
    if (this.#waitedMs === null) return null;
    const handedAtMs = this.#deps.clock.nowMs();
    const arrivedAtMs = handedAtMs - this.#waitedMs;
    const packedAtMs = arrivedAtMs - this.#lateMs;
    return { spokenAtMs: this.clockMs(positionMs), packedAtMs, arrivedAtMs, handedAtMs };
  }

  /** What the audio encoder has yet to answer. */
  get unheardSamples(): number {
    let samples = this.turn?.unheardSamples ?? 0;
    for (const turn of this.#ending) samples += turn.unheardSamples;
    return samples;
  }

  /** The encoders hold something of the user's. */
  get busy(): boolean {
    return this.turn !== null || this.#glances.size > 0 || [...this.#ending].some(turn => turn.unfinished);
  }

  audio({
    samples,
    mediaMs,
    lost = false,
    isVoiceless,
    waitedMs,
    lateMs = 0,
    heldBackMs = 0,
  }: AudioCommand): void {
    this.#waitedMs = waitedMs ?? null;
    this.#lateMs = lateMs;
    this.#heldBackMs = heldBackMs;
    if (mediaMs === undefined) {
      this.#hear(samples, lost, isVoiceless);
      return;
    }
    const samplesPerMs = this.#deps.model.inputSampleRate / 1000;
    const { gapMs, skipMs } = this.#mediaTime.place(mediaMs, this.#pushedSamples / samplesPerMs);
    if (gapMs > 0) this.#hear(new Float32Array(Math.round(gapMs * samplesPerMs)), true);
    this.#hear(skipMs > 0 ? samples.subarray(Math.round(skipMs * samplesPerMs)) : samples, lost, isVoiceless);
  }

  #hear(samples: Float32Array, lost: boolean, isVoiceless = false): void {
    if (samples.length === 0) return;
    const { line, settings } = this.#deps;
    this.#pushedSamples += samples.length;
    if (settings().turnDetection.mode === 'manual') {
      line.perceive('audio', { samples });
      return;
    }
    const isBegunLost = this.#framer.isBegun && this.#endedLost;
    const frames = this.#framer.push(samples);
    if (frames) this.#pass(frames, lost, isBegunLost, isVoiceless);
    this.#endedLost = lost || (!frames && isBegunLost);
  }

  /** A frame of which any part was lost is: nothing may be learnt from where they meet. */
  #pass(frames: Float32Array, lost: boolean, isBegunLost: boolean, isVoiceless: boolean): void {
    const { line } = this.#deps;
    if (lost) line.perceive('audio', { samples: frames, lost });
    else if (!isBegunLost) line.perceive('audio', { samples: frames, isVoiceless });
    else {
      const { frameSamples } = this.#framer;
      line.perceive('audio', { samples: frames.subarray(0, frameSamples), lost: true });
      if (frames.length > frameSamples)
        line.perceive('audio', { samples: frames.subarray(frameSamples), isVoiceless });
    }
  }

  /** A clock that runs ahead would make every later picture an old one: nothing is of the future. */
  picture({ image, capturedAtMs = Number.POSITIVE_INFINITY }: PictureCommand): void {
    const { clock, line } = this.#deps;
    line.frameSampling('video', { frame: image, capturedAtMs: Math.min(capturedAtMs, clock.nowMs()) });
  }

  /** A new user turn; the buffered pictures stand before it. */
  begin(itemId: string, onCaption: UserTurnDeps['onCaption']): void {
    this.#open(itemId, false, onCaption);
    this.#takePlace(itemId);
  }

  /**
   * Sound that may become a turn: only its words are wanted for now, no picture is taken and nothing enters the
   * context.
   */
  beginTentative(itemId: string, onCaption: UserTurnDeps['onCaption']): void {
    this.#open(itemId, true, onCaption);
  }

  /** The tentative turn is one. */
  admit(): void {
    if (!this.turn) return;
    this.#takePlace(this.turn.itemId);
    this.#grew(this.turn.sampleCount);
    this.turn.admit();
  }

  /** It is not. */
  dropTentative(): void {
    this.turn?.discard();
    this.turn = null;
  }

  /** Pictures of the chunk under way go into the tail. */
  flushPictures(): void {
    this.#deps.line.frameSampling('control', { type: 'flush' });
  }

  /**
   * What the camera has shown since the last turn, for a reply that is asked for without one; what comes next waits for
   * it.
   */
  glance(id: string, onSeen: GlanceDeps['onSeen']): void {
    const { line, queue } = this.#deps;
    this.#onLooked = newest => {
      this.#onLooked = null;
      if (newest === null && !this.#sawSparse) return;
      this.#sawSparse = false;
      const encodeUnit = (unitId: string, unit: SampledUnit) => this.#encodeUnit(unitId, unit);
      const sparse = [...this.#sparse];
      this.#sparse.clear();
      const glance = new Glance(id, { line, queue, encodeUnit, onSeen });
      this.#glances.set(id, glance);
      glance.begin(sparse, newest);
    };
    line.frameSampling('control', { type: 'look' });
  }

  /** The turn is over; its tail may still be on its way through the encoders. */
  end(): UserTurn | null {
    const { line } = this.#deps;
    const turn = this.turn;
    this.turn = null;
    line.frameSampling('control', { type: 'utterance.over' });
    line.perceive('control', { type: 'utterance.over' });
    for (const ended of this.#ending) if (!ended.unfinished) this.#ending.delete(ended);
    if (turn) this.#ending.add(turn);
    return turn;
  }

  /** As set, for the line as it is heard. */
  get turnDetection(): TurnDetection {
    const { turnDetection } = this.#deps.settings();
    if (turnDetection.mode !== 'vad' || !turnDetection.telephone || !this.#isTelephone) return turnDetection;
    return { ...turnDetection, ...turnDetection.telephone };
  }

  configure(): void {
    this.#deps.line.perceive('control', { type: 'configured', turnDetection: this.turnDetection });
  }

  agentSpeaks(speaks: boolean): void {
    this.#deps.line.perceive('control', { type: 'agent.speaks', speaks });
  }

  /** Somebody weighs what interrupts. */
  weigh(weighed: boolean): void {
    this.#deps.line.perceive('control', { type: 'weighed', weighed });
  }

  fromPerceive(percept: PerceiveOutput): void {
    if (percept.type === 'utterance') this.#utterance(percept.samples);
    else if (percept.type === 'manual.started') this.#on.onManualTurn();
    else if (percept.type === 'manual.full') this.#on.onOverflow();
    else if (percept.type === 'evidence') this.#on.onEvidence(percept);
    else if (percept.type === 'line') this.#lineHeard(percept.telephone);
    else this.#on.onEdge(percept);
  }

  fromFrameSampling({ type, unit }: FrameSamplingOutput): void {
    if (type === 'looked') this.#onLooked?.(unit);
    else if (type === 'sparse') this.#encodeSparse(unit);
    else if (type === 'chunk') this.turn?.endChunk(unit);
    else this.turn?.picture(unit);
  }

  fromAudioEncoder(answer: Extract<AudioEncoderOutput, { type: 'vectors' }>): void {
    this.#turnOf(answer.utteranceId)?.vectors(answer);
  }

  fromVisionEncoder(answer: VisionEncoderOutput): void {
    const unit = answer.type === 'unit' ? answer : null;
    this.#sparse.delete(answer.unitId);
    this.#deps.line.chunkInterleaver('units', { unitId: answer.unitId, unit });
  }

  fromChunkInterleaver(output: ChunkInterleaverOutput): void {
    const glance = this.#glances.get(output.turnId);
    if (!glance) this.#turnOf(output.turnId)?.interleaved(output);
    else {
      this.#glances.delete(output.turnId);
      glance.interleaved(output.pieces);
    }
  }

  #encodeSparse(unit: SampledUnit): void {
    const unitId = `${SPARSE_UNIT}${this.#sparseUnits++}`;
    this.#sparse.add(unitId);
    this.#sawSparse = true;
    this.#encodeUnit(unitId, unit);
  }

  #turnOf(itemId: string): UserTurn | undefined {
    if (this.turn?.itemId === itemId) return this.turn;
    return [...this.#ending].find(turn => turn.itemId === itemId);
  }

  #lineHeard(isTelephone: boolean): void {
    this.#isTelephone = isTelephone;
    this.configure();
  }

  #utterance(samples: Float32Array): void {
    this.turn?.audio(samples);
    this.#grew(samples.length);
  }

  #open(itemId: string, tentative: boolean, onCaption: UserTurnDeps['onCaption']): void {
    const { line, queue, conversation, model, write } = this.#deps;
    const { mark } = this.#on;
    const samplesPerVector = (model.audioVectorMs * model.inputSampleRate) / 1000;
    const encodeUnit = (unitId: string, unit: SampledUnit) => this.#encodeUnit(unitId, unit);
    const deps = { line, queue, conversation, samplesPerVector, write, encodeUnit, mark, onCaption };
    this.turn = new UserTurn(itemId, tentative, deps);
  }

  #takePlace(turnId: string): void {
    const { line, settings } = this.#deps;
    this.#sawSparse = this.#sparse.size > 0;
    line.frameSampling('control', { type: 'utterance.began' });
    const prefills = settings().turnDetection.mode === 'vad';
    line.chunkInterleaver('control', { type: 'begin', turnId, prefills });
  }

  /** A long stretch may fill several chunks; without a turn nobody counts. */
  #grew(samples: number): void {
    const { line, model } = this.#deps;
    const { inputSampleRate } = model;
    for (let left = samples; left > 0; left -= inputSampleRate) {
      const audioMs = (Math.min(left, inputSampleRate) * 1000) / inputSampleRate;
      line.frameSampling('control', { type: 'utterance.grew', audioMs });
    }
  }

  #encodeUnit(unitId: string, { frames, capturedAtMs }: SampledUnit): void {
    const maxTokens = this.#deps.settings().maxTokensPerPicture;
    this.#deps.line.visionEncoder('video', { unitId, frames, maxTokens, capturedAtMs });
  }
}
