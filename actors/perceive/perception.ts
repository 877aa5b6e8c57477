/**
 * Frames of user audio in, edges and the audio of utterances out, in one order. Counts frames, so it is driven by the
 * audio clock. The audio just before an onset is kept and put in front of the utterance (prefix padding).
 */
import type { TurnDetection } from '../session-api.ts';
import { INTERRUPTION, TURN_DELAYS } from '../turn-taking/index.ts';
import type { EchoVerdict } from './echo-gate.ts';
import { HeldBack } from './held-back.ts';
import type { Edge, LineHeard, SoundEvidence } from './messages.ts';
import { FRAME_MS, Segmenter, type SegmenterSettings, type SpeechEdge } from './segmenter.ts';
import { OwnLevel, powerOf, SoundWeigher } from './sound-weigher.ts';
import type { VoiceActivityDetector } from './voice-activity-detector.ts';
import { VoiceElsewhere } from './voice-elsewhere.ts';

/** A voice elsewhere is noticed before it is clearly one. */
const MAY_BE_SPEECH = 0.3;
/** Where the sender heard no voice it takes a probability of 0.7 to pass for one of a half: a hint, no verdict. */
const VOICELESS = 0.5 / 0.7;
/** A sound that was not the user's turn is over when it has been quiet for 120 ms. */
const IGNORED_QUIET_FRAMES = 6;
/** Of `goesOnMs`, what has passed when a sound is first heard as one. */
const ONSET_MS = 40;
/** One that goes on for this much longer, or comes again by then, is looked at again: no backchannel lasts a second. */
const LOOK_AGAIN_FRAMES = (INTERRUPTION.goesOnMs - INTERRUPTION.decideMs - ONSET_MS) / FRAME_MS;
/** What is louder than the ignored sound by 6 dB is another one: somebody speaks over the television. */
const LOUDER = 4;
/** What was heard lately, for prefixes; longer while a sound may be looked at again from its beginning. */
const KEPT_FRAMES = 100;
/** So many packets that are not needed any more go together, so that one costs constant time. */
const GO_TOGETHER = 8;

/** Audio as it came; kept whole, because an array for each frame of it outlives many. */
interface TimedSamples {
  readonly samples: Float32Array;
  readonly firstFrame: number;
}

export type Percept =
  | Edge
  | SoundEvidence
  | LineHeard
  /**
   * Samples of the utterance, from its prefix padding on: a stretch of one packet, because an array for each frame
   * costs more than the frame.
   */
  | {
      readonly type: 'utterance';
      readonly packet: Float32Array;
      readonly from: number;
      readonly to: number;
    };

type VadSettings = Extract<TurnDetection, { mode: 'vad' }>;

export class Perception {
  readonly #detector: VoiceActivityDetector;
  readonly #segmenter: Segmenter;
  #settings: VadSettings;
  #agentSpeaks = false;
  #weighed = false;
  readonly #ownLevel = new OwnLevel();
  readonly #weigher = new SoundWeigher(this.#ownLevel);
  readonly #elsewhere = new VoiceElsewhere();
  readonly #heldBack = new HeldBack();
  /** Quiet frames still to come before sound that does not take the turn is over; 0 = none such. */
  #ignoredFrames = 0;
  #ignoredPower = 0;
  /**
   * What is heard of the ignored sound at `atFrame`, or before it anew, is looked at as one that began at `fromFrame`.
   */
  #second: { readonly fromFrame: number; readonly atFrame: number } | null = null;
  readonly #recent: TimedSamples[] = [];
  /** Frames before this are forgotten; `#keptFrames` are not. */
  #recentFrame = 0;
  #frameSamples = 0;
  #keptFrames = 0;
  /** Frames before this belong to an utterance that is over. */
  #freshFrame = 0;
  #onsetFrame = 0;
  #telephone = false;
  /** What comes now is without a voice, says its sender. */
  isVoiceless = false;

  constructor(detector: VoiceActivityDetector, settings: VadSettings) {
    this.#detector = detector;
    this.#settings = settings;
    this.#segmenter = new Segmenter(this.#segmenterSettings());
    this.#configured();
  }

  configure(settings: VadSettings): void {
    this.#settings = settings;
    this.#configured();
  }

  /** While the agent speaks an onset needs more evidence. */
  agentSpeaks(speaks: boolean): void {
    if (speaks === this.#agentSpeaks) return;
    this.#agentSpeaks = speaks;
    this.#configured();
  }

  /** Somebody weighs what begins meanwhile. */
  weigh(weighed: boolean): void {
    if (weighed === this.#weighed) return;
    this.#weighed = weighed;
    this.#configured();
  }

  /** Somebody is speaking, or it is being decided. */
  get active(): boolean {
    return this.#segmenter.active;
  }

  /** What the sound under way came to; one that does not take the turn is ignored until it stops. */
  decided(takesTurn: boolean, lookAgain: boolean): void {
    this.#weigher.end();
    if (takesTurn) return;
    this.reset();
    this.#ignoredFrames = IGNORED_QUIET_FRAMES;
    this.#ignoredPower = this.#weigher.soundPower;
    if (lookAgain)
      this.#second = { fromFrame: this.#onsetFrame, atFrame: this.#segmenter.frames + LOOK_AGAIN_FRAMES };
  }

  endpointAt(silenceMs: number): void {
    this.#segmenter.endpointAt(silenceMs);
  }

  /**
   * 20 ms, which begin at sample `at` of `packet`; calls `emit` in the order of the audio. The packet is kept: not to
   * be written to again; the frame is not. `verdict`: whose voice it is, if it is one.
   */
  frame(
    frame: Float32Array,
    verdict: EchoVerdict,
    emit: (percept: Percept) => void,
    packet = frame,
    at = 0,
  ): void {
    const heard = this.#detector.frame(frame) * (this.isVoiceless ? VOICELESS : 1);
    const telephone = this.#detector.telephone ?? false;
    if (telephone !== this.#telephone) emit({ type: 'line', telephone: (this.#telephone = telephone) });
    const ofUser = this.#ofUser(heard, verdict, frame);
    const probability = this.#ignores(ofUser, frame) ? 0 : ofUser;
    const isSpeech = probability >= this.#settings.threshold;
    const wasSpeaking = this.#segmenter.speaking;
    const power = this.#weigher.frame(
      frame,
      isSpeech,
      this.#detector.voicing ?? null,
      this.#detector.likeness ?? null,
    );
    if (wasSpeaking && isSpeech && !this.#agentSpeaks) this.#ownLevel.add(power);
    const edges = this.#segmenter.push(probability);
    // The frame belongs to the utterance before the edges that it reveals are acted on: t3 finishes what is there.
    if (wasSpeaking) emit({ type: 'utterance', packet, from: at, to: at + frame.length });
    if (wasSpeaking) this.#freshFrame = this.#segmenter.frames;
    this.#remember(packet, at, frame.length);
    for (const edge of edges) {
      if (edge.type === 'speech.started') this.#begin(edge, emit);
      else this.#emitEdge(edge, emit);
    }
    const evidence = this.#weigher.evidence();
    if (evidence) emit(evidence);
  }

  stall(emit: (percept: Percept) => void): void {
    for (const edge of this.#segmenter.stall()) this.#emitEdge(edge, emit);
  }

  /** The utterance so far is no longer ours to decide on. */
  reset(): void {
    this.#weigher.end();
    this.#segmenter.reset();
    this.#freshFrame = this.#segmenter.frames;
    this.#ignoredFrames = 0;
    this.#second = null;
  }

  /** What is left of the probability where echo and voices elsewhere are taken out. */
  #ofUser(probability: number, verdict: EchoVerdict, frame: Float32Array): number {
    const mayBegin = this.#agentSpeaks && this.#weighed && !this.#segmenter.active;
    if (!mayBegin) return verdict === 'person' ? probability : 0;
    const mayBeSpeech = verdict !== 'echo' && probability >= MAY_BE_SPEECH;
    const relativeDb = mayBeSpeech ? this.#ownLevel.relativeDb(powerOf(frame)) : null;
    const isElsewhere = this.#elsewhere.isIn(relativeDb);
    if (verdict === 'person' && !isElsewhere) return probability;
    const isClose = mayBeSpeech && (relativeDb ?? 0) >= INTERRUPTION.closeDb;
    if (isClose && probability >= this.#settings.threshold) this.#heldBack.add(this.#segmenter.frames);
    return 0;
  }

  #ignores(probability: number, frame: Float32Array): boolean {
    if (this.#ignoredFrames === 0) return false;
    const isSpeech = probability >= this.#settings.threshold;
    this.#ignoredFrames = isSpeech ? IGNORED_QUIET_FRAMES : this.#ignoredFrames - 1;
    const isAnother = isSpeech && powerOf(frame) > LOUDER * this.#ignoredPower;
    if (isAnother || this.#second?.atFrame === this.#segmenter.frames) this.#ignoredFrames = 0;
    return !isAnother;
  }

  #emitEdge(edge: SpeechEdge, emit: (percept: Percept) => void): void {
    emit({ type: edge.type, atMs: edge.atFrame * FRAME_MS });
  }

  /** Speech, with what was said just before it was sure. */
  #begin({ type, atFrame }: SpeechEdge, emit: (percept: Percept) => void): void {
    const { frames } = this.#segmenter;
    const isSecond = this.#second !== null && atFrame <= this.#second.atFrame + 1;
    this.#onsetFrame = isSecond ? this.#second!.fromFrame : atFrame;
    this.#second = null;
    if (this.#agentSpeaks && this.#weighed)
      this.#weigher.begin(frames - this.#onsetFrame, isSecond ? 0 : this.#heldBack.framesBefore(atFrame));
    this.#emitEdge({ type, atFrame: this.#onsetFrame }, emit);
    const from = this.#onsetFrame - Math.ceil(this.#settings.prefixPaddingMs / FRAME_MS);
    const count = frames - (isSecond ? from : Math.max(from, this.#freshFrame));
    this.#emitFrom(Math.max(this.#recentFrame, frames - count), emit);
    this.#freshFrame = frames;
  }

  /** The audio from a frame on to the last that was heard. */
  #emitFrom(frame: number, emit: (percept: Percept) => void): void {
    const { frames } = this.#segmenter;
    for (const { samples: packet, firstFrame } of this.#recent) {
      const from = Math.max(0, frame - firstFrame) * this.#frameSamples;
      const to = Math.min(packet.length, (frames - firstFrame) * this.#frameSamples);
      if (from < to) emit({ type: 'utterance', packet, from, to });
    }
  }

  #remember(samples: Float32Array, at: number, frameSamples: number): void {
    const { frames } = this.#segmenter;
    this.#recentFrame = Math.max(this.#recentFrame, frames - this.#keptFrames);
    if (at > 0 && this.#recent.at(-1)?.samples === samples) return;
    this.#recent.push({ samples, firstFrame: frames - 1 - at / frameSamples });
    this.#frameSamples = frameSamples;
    const kept = this.#recent[GO_TOGETHER];
    if (kept && kept.firstFrame <= this.#recentFrame) this.#recent.splice(0, GO_TOGETHER);
  }

  /** What follows from the settings and from who speaks. */
  #configured(): void {
    this.#segmenter.configure(this.#segmenterSettings());
    const isWeighing = this.#agentSpeaks && this.#weighed;
    const prefixMs = this.#settings.prefixPaddingMs + this.#onset.windowMs;
    this.#keptFrames = isWeighing ? KEPT_FRAMES : Math.ceil(prefixMs / FRAME_MS) + 1;
  }

  /** What it takes for an onset to be speech, as things are. */
  get #onset(): { readonly speechMs: number; readonly windowMs: number } {
    if (!this.#agentSpeaks) return TURN_DELAYS.turn;
    return this.#weighed ? TURN_DELAYS.weighed : TURN_DELAYS.bargeIn;
  }

  #segmenterSettings(): SegmenterSettings {
    const { threshold, endpointSilenceMs, speculateSilenceMs, meaning } = this.#settings;
    const onset = this.#onset;
    return {
      threshold,
      endpointSilenceMs,
      speculateSilenceMs,
      judgeAgainMs: meaning?.judgeAgainMs ?? 0,
      confirmSpeechMs: onset.speechMs,
      onsetWindowMs: onset.windowMs,
    };
  }
}
