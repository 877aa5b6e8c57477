/**
 * Frames of user audio in, edges and the audio of utterances out, in one order. Counts frames, so it is driven by the
 * audio clock. The audio just before an onset is kept and put in front of the utterance (prefix padding).
 */
import type { TurnDetection } from '../session-api.ts';
import { TURN_DELAYS } from '../turn-taking/index.ts';
import type { Percept } from './messages.ts';
import { FRAME_MS, Segmenter, type SegmenterSettings, type SpeechEdge } from './segmenter.ts';
import type { VoiceActivityDetector } from './voice-activity-detector.ts';

type VadSettings = Extract<TurnDetection, { mode: 'vad' }>;

export class Perception {
  readonly #detector: VoiceActivityDetector;
  readonly #segmenter: Segmenter;
  #settings: VadSettings;
  #agentSpeaks = false;
  #recent: Float32Array[] = [];

  constructor(detector: VoiceActivityDetector, settings: VadSettings) {
    this.#detector = detector;
    this.#settings = settings;
    this.#segmenter = new Segmenter(this.#segmenterSettings());
  }

  configure(settings: VadSettings): void {
    this.#settings = settings;
    this.#segmenter.configure(this.#segmenterSettings());
  }

  /** While the agent speaks an onset needs more evidence. */
  agentSpeaks(speaks: boolean): void {
    if (speaks === this.#agentSpeaks) return;
    this.#agentSpeaks = speaks;
    this.#segmenter.configure(this.#segmenterSettings());
  }

  /** Somebody is speaking, or it is being decided. */
  get active(): boolean {
    return this.#segmenter.active;
  }

  /** 20 ms; calls `emit` in the order of the audio. The frame is kept: not to be written to again. */
  frame(frame: Float32Array, emit: (percept: Percept) => void): void {
    const wasSpeaking = this.#segmenter.speaking;
    const edges = this.#segmenter.push(this.#detector.frame(frame));
    // The frame belongs to the utterance before the edges that it reveals are acted on: t3 finishes what is there.
    if (wasSpeaking) emit({ type: 'utterance', samples: frame });
    else this.#remember(frame);
    for (const edge of edges) {
      this.#emitEdge(edge, emit);
      if (edge.type === 'speech.started') this.#emitPrefix(edge.atFrame, emit);
    }
  }

  stall(emit: (percept: Percept) => void): void {
    for (const edge of this.#segmenter.stall()) this.#emitEdge(edge, emit);
  }

  /** The utterance so far is no longer ours to decide on. */
  reset(): void {
    this.#segmenter.reset();
    this.#recent = [];
  }

  #emitEdge(edge: SpeechEdge, emit: (percept: Percept) => void): void {
    emit({ type: edge.type, atMs: edge.atFrame * FRAME_MS });
  }

  #emitPrefix(onsetFrame: number, emit: (percept: Percept) => void): void {
    const frames = this.#segmenter.frames - onsetFrame + Math.ceil(this.#settings.prefixPaddingMs / FRAME_MS);
    for (const samples of this.#recent.slice(-frames)) emit({ type: 'utterance', samples });
    this.#recent = [];
  }

  #remember(frame: Float32Array): void {
    this.#recent.push(frame);
    const keepMs = this.#settings.prefixPaddingMs + this.#segmenterSettings().onsetWindowMs;
    const surplus = this.#recent.length - Math.ceil(keepMs / FRAME_MS) - 1;
    if (surplus > 0) this.#recent.splice(0, surplus);
  }

  #segmenterSettings(): SegmenterSettings {
    const { threshold, endpointSilenceMs, speculateSilenceMs } = this.#settings;
    return {
      threshold,
      endpointSilenceMs,
      speculateSilenceMs,
      confirmSpeechMs: this.#agentSpeaks ? TURN_DELAYS.bargeInSpeechMs : TURN_DELAYS.confirmSpeechMs,
      onsetWindowMs: this.#agentSpeaks ? TURN_DELAYS.bargeInWindowMs : TURN_DELAYS.onsetWindowMs,
    };
  }
}
