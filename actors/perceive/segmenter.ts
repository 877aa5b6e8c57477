/**
 * From speech probabilities to edges, counted in frames of the audio itself, so that decisions do not depend on when
 * packets arrive.
 *
 *   silent ──first speech frame──► onset ──enough speech in the window──► speaking ◄──enough speech──┐
 *     ▲  ▲                           │                                     │  ▲                      │
 *     │  └────────dismissed──────────┘                       silence frame ▼  │ short gap            │
 *     │                                                                  quiet ──pauseMs──► paused ──┘
 *     └───────────────────────────── silence reaches endpointSilenceMs ◄───────────────────────┘
 */
export const FRAME_MS = 20;

export interface SegmenterSettings {
  readonly threshold: number;
  readonly endpointSilenceMs: number;
  readonly speculateSilenceMs: number;
  /** A silence that goes on is worth another speculation after this long; 0 or absent = only one. */
  readonly judgeAgainMs?: number;
  /** Speech within the window that confirms an onset. */
  readonly confirmSpeechMs: number;
  readonly onsetWindowMs: number;
}

/** `atFrame` is where in the audio the edge lies, which may be before the frame that revealed it. */
export interface SpeechEdge {
  readonly type:
    | 'speech.onset'
    | 'speech.dismissed'
    | 'speech.started'
    | 'speech.paused'
    | 'speech.resumed'
    | 'silence.speculate'
    | 'silence.endpoint';
  readonly atFrame: number;
}

/** Inside speech a frame is silence only when it is clearly below the threshold. */
const HYSTERESIS = 0.15;
/** A gap shorter than this is part of a word. */
const PAUSE_FRAMES = 6;
/** Speech that ends a silence; one crackle does not. */
const RESUME_FRAMES = 3;
/** What nearly every frame reveals. */
const NOTHING: readonly SpeechEdge[] = [];

export class Segmenter {
  #settings: SegmenterSettings;
  #state: 'silent' | 'onset' | 'speaking' = 'silent';
  #frame = 0;
  #onsetFrame = 0;
  #speechFrames = 0;
  #silenceFrame: number | null = null;
  #resumeFrames = 0;
  #paused = false;
  /** Silence at which the next speculation is due. */
  #speculateMs: number | null = null;
  /** What somebody who knows more than silence makes of this one. */
  #endpointMs: number | null = null;

  constructor(settings: SegmenterSettings) {
    this.#settings = settings;
  }

  /** Takes effect with the next frame; a silence that is already longer than a new limit ends there. */
  configure(settings: SegmenterSettings): void {
    this.#settings = settings;
  }

  /**
   * The present silence ends the turn when it has lasted this long, whatever the settings say; the next one is judged
   * anew.
   */
  endpointAt(silenceMs: number): void {
    if (this.#paused) this.#endpointMs = silenceMs;
  }

  get speaking(): boolean {
    return this.#state === 'speaking';
  }

  /** True from the first frame of an onset until it is dismissed, and during speech. */
  get active(): boolean {
    return this.#state !== 'silent';
  }

  /** Frames seen. */
  get frames(): number {
    return this.#frame;
  }

  /** One frame in, the edges it reveals out. */
  push(probability: number): readonly SpeechEdge[] {
    const frame = this.#frame++;
    const { threshold } = this.#settings;
    if (this.#state === 'speaking')
      return this.#inSpeech(probability >= threshold - HYSTERESIS, probability >= threshold, frame);
    if (this.#state === 'onset') return this.#inOnset(probability >= threshold, frame);
    if (probability < threshold) return NOTHING;
    this.#state = 'onset';
    this.#onsetFrame = frame;
    this.#speechFrames = 0;
    return [{ type: 'speech.onset', atFrame: frame }, ...this.#inOnset(true, frame)];
  }

  /** No more audio is coming: the silence counts as complete. */
  stall(): SpeechEdge[] {
    const edges: SpeechEdge[] = [];
    if (this.#state === 'onset') edges.push({ type: 'speech.dismissed', atFrame: this.#frame });
    if (this.#state === 'speaking') {
      this.#silenceFrame ??= this.#frame;
      if (!this.#paused) edges.push({ type: 'speech.paused', atFrame: this.#silenceFrame });
      edges.push({ type: 'silence.endpoint', atFrame: this.#frame });
    }
    this.reset();
    return edges;
  }

  /** Forgets the utterance (cleared, committed by hand); the frame count goes on. */
  reset(): void {
    this.#state = 'silent';
    this.#silenceFrame = null;
    this.#resumeFrames = 0;
    this.#paused = false;
    this.#speculateMs = null;
    this.#endpointMs = null;
  }

  #inOnset(speech: boolean, frame: number): readonly SpeechEdge[] {
    if (speech) this.#speechFrames += 1;
    if (this.#speechFrames * FRAME_MS >= this.#settings.confirmSpeechMs) {
      this.reset();
      this.#state = 'speaking';
      return [{ type: 'speech.started', atFrame: this.#onsetFrame }];
    }
    if ((frame + 1 - this.#onsetFrame) * FRAME_MS < this.#settings.onsetWindowMs) return NOTHING;
    this.reset();
    return [{ type: 'speech.dismissed', atFrame: frame + 1 }];
  }

  #inSpeech(stillSpeech: boolean, clearSpeech: boolean, frame: number): readonly SpeechEdge[] {
    if (this.#silenceFrame === null) {
      if (stillSpeech) return NOTHING;
      this.#silenceFrame = frame;
    }
    this.#resumeFrames = clearSpeech ? this.#resumeFrames + 1 : Math.max(0, this.#resumeFrames - 1);
    if (this.#resumeFrames >= RESUME_FRAMES) return this.#resume(frame);
    return this.#inSilence(frame + 1 - this.#silenceFrame, frame);
  }

  #resume(frame: number): SpeechEdge[] {
    const wasPaused = this.#paused;
    this.#silenceFrame = null;
    this.#resumeFrames = 0;
    this.#paused = false;
    this.#speculateMs = null;
    this.#endpointMs = null;
    return wasPaused ? [{ type: 'speech.resumed', atFrame: frame + 1 - RESUME_FRAMES }] : [];
  }

  #inSilence(silentFrames: number, frame: number): SpeechEdge[] {
    const edges: SpeechEdge[] = [];
    const silentMs = silentFrames * FRAME_MS;
    const { judgeAgainMs = 0, speculateSilenceMs } = this.#settings;
    const endpointSilenceMs = this.#endpointMs ?? this.#settings.endpointSilenceMs;
    if (!this.#paused && silentFrames >= Math.min(PAUSE_FRAMES, Math.ceil(speculateSilenceMs / FRAME_MS))) {
      this.#paused = true;
      edges.push({ type: 'speech.paused', atFrame: this.#silenceFrame! });
    }
    // While speech may just be resuming, nothing is decided.
    if (this.#resumeFrames > 0) return edges;
    this.#speculateMs ??= speculateSilenceMs;
    if (silentMs >= this.#speculateMs && silentMs < endpointSilenceMs) {
      this.#speculateMs = judgeAgainMs > 0 ? this.#speculateMs + judgeAgainMs : Number.POSITIVE_INFINITY;
      edges.push({ type: 'silence.speculate', atFrame: frame + 1 });
    }
    if (silentMs >= endpointSilenceMs) {
      if (!this.#paused) edges.push({ type: 'speech.paused', atFrame: this.#silenceFrame! });
      edges.push({ type: 'silence.endpoint', atFrame: frame + 1 });
      this.reset();
    }
    return edges;
  }
}
