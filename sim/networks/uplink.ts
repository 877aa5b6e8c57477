import type { Clock, Random } from '../../actors/core/index.ts';
import { constant, uniform, type Voice } from '../people/voice.ts';
import { SimulatedJitterBuffer, type PlayedPacket } from './jitter-buffer.ts';
import type { Beat, Metronome } from './metronome.ts';
import { Path } from './path.ts';
import type { NetworkProfile } from './profiles.ts';
import { SilenceKeeper } from './silence-keeper.ts';

export interface UplinkOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly profile: NetworkProfile;
  /** A packet leaves at each beat. */
  readonly metronome: Metronome;
  readonly isReliable: boolean;
  /** A lost packet is repaired from the next. */
  readonly repairs: boolean;
  readonly voice: Voice;
  readonly push: (samples: Float32Array) => void;
  /** Silence after which the runtime waits for nothing; packets of more of it are kept until the next sound. */
  readonly calmMs: number;
  /** What the mouth said between these times never reached the runtime. */
  readonly onMissing: (fromMs: number, toMs: number) => void;
}

/**
 * docs/spec/latency-data.md §5.5: concealment repeats the last sound, at full level for 10 ms, then a fifth less every
 * 10 ms: mean level of each 20 ms.
 */
const CONCEALED_LEVELS = [0.95, 0.6, 0.2];
const LEVEL_MS = 20;

/**
 * From the mouth to the runtime: capture, packets, network, and for RTP a jitter buffer. A long silence is nobody's
 * business: its packets travel, one after another, when somebody speaks again or asks what became of them.
 */
export class Uplink {
  readonly #path: Path;
  readonly #jitterBuffer: SimulatedJitterBuffer | null;
  #lagMs: number;
  #heardUntilMs: number;
  readonly #options: UplinkOptions;
  readonly #silence: SilenceKeeper;
  readonly #beat: Beat;
  /** Beats of the metronome that have been gone by. */
  #beats: number;
  /** Packets with a sound in them that have not arrived: what is heard last is not silence yet. */
  #soundsUnderWay = 0;
  #isOver = false;
  #ticks = 0;
  /** Activity at the end of the last packet that was there. */
  #lastActivity = 0;
  #concealedMs = 0;

  constructor(options: UplinkOptions) {
    const { calmMs, clock, metronome, profile, push, random, isReliable, repairs, voice } = options;
    const packetMs = metronome.periodMs;
    this.#options = options;
    this.#silence = new SilenceKeeper(packetMs, calmMs, push);
    this.#path = new Path(random, profile, packetMs, isReliable);
    this.#lagMs = profile.captureMs + profile.baseMs;
    this.#heardUntilMs = clock.nowMs() - this.#lagMs;
    const startPackets = Math.ceil((profile.baseMs + 2 * profile.jitterMs) / packetMs) + 1;
    this.#jitterBuffer = isReliable ? null : new SimulatedJitterBuffer(packetMs, startPackets, { repairs });
    this.#beats = metronome.beats;
    this.#beat = metronome.join(() => this.#goOn());
    voice.onSound = () => this.#wake();
  }

  /** How long after it was said the runtime hears something. */
  get lagMs(): number {
    this.#catchUp();
    return this.#lagMs;
  }

  /** Until when what was said has been heard. */
  get heardUntilMs(): number {
    this.#catchUp();
    return this.#heardUntilMs;
  }

  /** Packets, until now. */
  get counts(): { readonly sent: number; readonly lost: number; readonly concealed: number } {
    this.#catchUp();
    const { lost, sent } = this.#path;
    return { sent, lost, concealed: this.#jitterBuffer?.concealed ?? 0 };
  }

  /** No more packets leave. */
  end(): void {
    this.#catchUp();
    this.#isOver = true;
    this.#beat.leave();
  }

  #goOn(): void {
    this.#catchUp();
    const isSilent = this.#options.voice.isSilent && this.#soundsUnderWay === 0;
    this.#beat.rests = isSilent && this.#silence.isCalm;
  }

  #wake(): void {
    if (!this.#beat.rests) return;
    this.#catchUp();
    this.#beat.rests = false;
  }

  #catchUp(): void {
    const { beatMs, beats, periodMs } = this.#options.metronome;
    while (this.#beats < beats && !this.#isOver) {
      this.#beats += 1;
      this.#packet(beatMs - (beats - this.#beats) * periodMs);
    }
  }

  /** The one that leaves at `sentMs`. */
  #packet(sentMs: number): void {
    const arrivalMs = this.#path.send(sentMs);
    if (!this.#jitterBuffer) {
      this.#stream(sentMs, arrivalMs ?? sentMs);
      return;
    }
    this.#jitterBuffer.arrives(sentMs, arrivalMs);
    this.#ticks += 1;
    for (const played of this.#jitterBuffer.play(sentMs)) this.#silence.push(this.#content(played, sentMs));
  }

  #stream(sentMs: number, arrivalMs: number): void {
    const { clock, metronome, profile, voice } = this.#options;
    const endMs = sentMs - profile.captureMs;
    const packet = voice.packet(endMs, metronome.periodMs);
    const isSound = packet !== uniform(0, metronome.periodMs);
    if (isSound) this.#soundsUnderWay += 1;
    const arrives = () => {
      if (isSound) this.#soundsUnderWay -= 1;
      this.#heard(endMs, arrivalMs);
      this.#silence.push(packet);
    };
    const waitMs = arrivalMs - clock.nowMs();
    if (waitMs < 0) arrives();
    else clock.setTimer(waitMs, arrives);
  }

  #heard(endMs: number, nowMs: number): void {
    this.#lagMs = nowMs - endMs;
    this.#heardUntilMs = endMs;
  }

  /** Ticks come at an even pace, so that a packet's number says when it was recorded. */
  #content({ packet, isThere }: PlayedPacket, nowMs: number): Float32Array {
    const { metronome, onMissing, profile, voice } = this.#options;
    const packetMs = metronome.periodMs;
    const endMs = nowMs - (this.#ticks - 1 - packet) * packetMs - profile.captureMs;
    if (isThere) {
      this.#heard(endMs, nowMs);
      this.#concealedMs = 0;
      const samples = voice.packet(endMs, packetMs);
      this.#lastActivity = samples[samples.length - 1];
      return samples;
    }
    if (packet >= 0) onMissing(endMs - packetMs, endMs);
    const level = CONCEALED_LEVELS[Math.floor(this.#concealedMs / LEVEL_MS)] ?? 0;
    this.#concealedMs += packetMs;
    const activity = this.#lastActivity * level;
    return activity === 0 ? uniform(0, packetMs) : constant(activity, packetMs);
  }
}
