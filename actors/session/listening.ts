/**
 * The user's side of a session: audio through perception into the user turn, pictures through sparse–dense sampling.
 * Manual turn-taking skips perception: every sample belongs to the turn that the client will commit.
 */
import type { Positions, RgbImage } from '../../kernels/engine/index.ts';
import type { AudioEncoderOutput } from '../audio-encoder/index.ts';
import { type FrameUnit, type Piece, SparseBuffer } from '../chunk-interleaver/index.ts';
import type { Clock } from '../core/clock.ts';
import {
  FrameSampler,
  type Percept,
  Perception,
  type SampledUnit,
  type VoiceActivityDetector,
} from '../perceive/index.ts';
import type { SessionSettings, TurnDetection } from '../session-api.ts';
import { DEFAULT_TURN_DETECTION } from '../turn-taking/index.ts';
import type { VisionEncoderOutput } from '../vision-encoder/index.ts';
import type { ContextQueue } from './context-queue.ts';
import type { Conversation } from './conversation.ts';
import type { Line } from './line.ts';
import { UserTurn, type UserTurnDeps } from './user-turn.ts';

export interface ListeningDeps {
  readonly clock: Clock;
  readonly line: Line;
  readonly queue: ContextQueue;
  readonly conversation: Conversation;
  readonly detector: VoiceActivityDetector;
  readonly inputSampleRate: number;
  readonly hiddenSize: number;
  readonly settings: () => SessionSettings;
  readonly maxBufferedSpeechMs: number;
  readonly maxSparseUnits: number;
  readonly write: (itemId: string, pieces: readonly Piece[]) => Positions;
  readonly mark: (cause: string) => void;
  /** Edges of user speech, in the order of the audio. */
  readonly onEdge: (edge: Exclude<Percept, { type: 'utterance' }>) => void;
  /** A turn that a client commits by hand has its first audio. */
  readonly onManualTurn: () => void;
  /** Manual audio beyond the limit is not kept. */
  readonly onOverflow: () => void;
}

type VadSettings = Extract<TurnDetection, { mode: 'vad' }>;

export class Listening {
  /** The open turn. */
  turn: UserTurn | null = null;
  readonly #deps: ListeningDeps;
  readonly #perception: Perception;
  readonly #sampler = new FrameSampler();
  readonly #sparse: SparseBuffer;
  /** Turns that are over but whose tail is still being encoded. */
  readonly #ending = new Set<UserTurn>();
  #pushedSamples = 0;
  #sparseUnits = 0;
  #overflowed = false;

  constructor(deps: ListeningDeps) {
    this.#deps = deps;
    this.#sparse = new SparseBuffer(deps.maxSparseUnits);
    this.#perception = new Perception(deps.detector, deps.inputSampleRate, this.#vadSettings());
  }

  /** Milliseconds of audio pushed since the session opened. */
  get positionMs(): number {
    return (this.#pushedSamples * 1000) / this.#deps.inputSampleRate;
  }

  /** Session-clock time of a place in the audio, taking the newest sample as now. */
  clockMs(positionMs: number): number {
    return Math.max(0, this.#deps.clock.nowMs() - Math.max(0, this.positionMs - positionMs));
  }

  /** Somebody is speaking, or it is being decided. */
  get active(): boolean {
    return this.#perception.inUtterance || this.#perception.undecided;
  }

  /** The encoders hold something of the user's. */
  get busy(): boolean {
    return this.turn !== null || [...this.#ending].some(turn => turn.unfinished);
  }

  audio(samples: Float32Array): void {
    this.#pushedSamples += samples.length;
    if (this.#deps.settings().turnDetection.mode === 'manual') this.#manualAudio(samples);
    else this.#perception.push(samples, percept => this.#percept(percept));
  }

  video(frame: RgbImage, capturedAtMs: number): void {
    const sparse = this.#sampler.push(frame, capturedAtMs);
    if (sparse) this.#encodeUnit(`sparse.${this.#sparseUnits++}`, sparse);
  }

  /** No audio has come for too long: whoever was speaking has stopped. */
  stall(): void {
    this.#perception.stall(percept => this.#percept(percept));
  }

  /** A new user turn; the buffered pictures stand before it. */
  begin(itemId: string, onCaption: UserTurnDeps['onCaption']): UserTurn {
    const { line, queue, conversation, hiddenSize, write, mark } = this.#deps;
    const encodeUnit = (unitId: string, unit: SampledUnit) => this.#encodeUnit(unitId, unit);
    this.#sampler.startUtterance();
    this.#overflowed = false;
    const byHand = this.#deps.settings().turnDetection.mode === 'manual';
    this.turn = new UserTurn(itemId, this.#sparse.takeAll(), byHand, {
      line,
      queue,
      conversation,
      hiddenSize,
      write,
      encodeUnit,
      mark,
      onCaption,
    });
    return this.turn;
  }

  /** Pictures of the chunk under way go into the tail. */
  flushPictures(): void {
    const unit = this.#sampler.flush();
    if (unit) this.turn?.picture(unit);
  }

  /** The turn is over; its tail may still be on its way through the encoders. */
  end(): UserTurn | null {
    const turn = this.turn;
    this.turn = null;
    this.#sampler.endUtterance();
    this.#perception.reset();
    for (const ended of this.#ending) if (!ended.unfinished) this.#ending.delete(ended);
    if (turn) this.#ending.add(turn);
    return turn;
  }

  configure(): void {
    this.#perception.configure(this.#vadSettings());
  }

  agentSpeaks(speaks: boolean): void {
    this.#perception.agentSpeaks(speaks);
  }

  fromAudioEncoder(answer: Extract<AudioEncoderOutput, { type: 'vectors' }>): void {
    for (const turn of this.#turns()) if (turn.itemId === answer.utteranceId) turn.vectors(answer);
  }

  fromVisionEncoder(answer: VisionEncoderOutput): void {
    const { unitId } = answer;
    const unit: FrameUnit | null = answer.type === 'unit' ? answer : null;
    for (const turn of this.#turns()) if (turn.unit(unitId, unit)) return;
    if (unit && unitId.startsWith('sparse.')) this.#sparse.add(unit);
  }

  *#turns(): Iterable<UserTurn> {
    if (this.turn) yield this.turn;
    yield* this.#ending;
  }

  #percept(percept: Percept): void {
    if (percept.type === 'utterance') this.#utterance(percept.samples);
    else this.#deps.onEdge(percept);
  }

  #utterance(samples: Float32Array): void {
    const turn = this.turn;
    if (!turn) return;
    turn.audio(samples);
    this.#advance(turn, samples.length);
    const heldMs = (turn.sampleCount * 1000) / this.#deps.inputSampleRate;
    if (heldMs >= this.#deps.maxBufferedSpeechMs) this.stall();
  }

  #manualAudio(samples: Float32Array): void {
    if (samples.length === 0) return;
    if (!this.turn) this.#deps.onManualTurn();
    const turn = this.turn!;
    const room = (this.#deps.maxBufferedSpeechMs * this.#deps.inputSampleRate) / 1000 - turn.sampleCount;
    const kept = samples.length <= room ? samples : samples.subarray(0, room);
    if (kept.length < samples.length && !this.#overflowed) {
      this.#overflowed = true;
      this.#deps.onOverflow();
    }
    if (kept.length === 0) return;
    turn.audio(kept.slice());
    this.#advance(turn, kept.length);
  }

  /** A long push may fill several chunks. */
  #advance(turn: UserTurn, samples: number): void {
    const chunkSamples = this.#deps.inputSampleRate;
    for (let left = samples; left > 0; left -= chunkSamples) {
      const audioMs = (Math.min(left, chunkSamples) * 1000) / this.#deps.inputSampleRate;
      const { chunkEnded, unit } = this.#sampler.advance(audioMs);
      if (chunkEnded) turn.endChunk(unit);
    }
  }

  #encodeUnit(unitId: string, unit: SampledUnit): void {
    this.#deps.line.visionEncoder('video', {
      unitId,
      frames: unit.frames,
      maxTokens: this.#deps.settings().maxTokensPerPicture,
      capturedAtMs: unit.capturedAtMs,
    });
  }

  #vadSettings(): VadSettings {
    const { turnDetection } = this.#deps.settings();
    return turnDetection.mode === 'vad' ? turnDetection : (DEFAULT_TURN_DETECTION as VadSettings);
  }
}
