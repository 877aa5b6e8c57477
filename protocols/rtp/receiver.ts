/**
 * The stream that comes: from whom it is taken (latching), which source it is, sound told from keys and noise, and
 * silence made by the clock where nothing comes. docs/spec/sip.md §2 says what real peers do here.
 */
import { type LineFormat, SequenceUnwrapper } from '../media/index.ts';
import type { MediaPlan, PayloadFormat } from './media-plan.ts';
import { type HostPort, sameHostPort } from './network.ts';
import { parseRtp, type RtpPacket } from './packet.ts';
import { Reception } from './reception.ts';
import { KeyReader } from './telephone-event.ts';

/** Where what came goes. */
export interface MediaSink {
  /** Sound in the format that `format` told last; without payload: a number that carries none. */
  packet(packet: { readonly sequence: number; readonly mediaMs: number; readonly payload: Buffer }): void;
  key(key: string): void;
  format(format: LineFormat): void;
  /** So much time passed in which nothing came. */
  quiet(ms: number): void;
  /** What comes next is another stream. */
  restarted(): void;
}

/** Nothing came for so long: the ear gets silence by the clock. Peers send in bunches, up to 121 ms apart. */
const STALLED_MS = 200;
/** The same, where the peer said that it is silent, or was put on hold. */
const QUIET_MS = 40;
/** From whom sound came is believed for so long after the last packet. */
const LATCHED_MS = 1000;
/** Stragglers of the source before. */
const FORMER_MS = 1000;
/** A timestamp further ahead is a jump, not jitter. */
const JUMP_MS = 200;
const NO_SOUND = Buffer.alloc(0);

export interface ReceiverCounts {
  /** From elsewhere than the peer. */
  strangers: number;
  /** No RTP, or nothing that was agreed on. */
  unreadable: number;
  sources: number;
}

export class RtpReceiver {
  readonly counts: ReceiverCounts = { strangers: 0, unreadable: 0, sources: 0 };
  readonly #sink: MediaSink;
  #plan: MediaPlan | null = null;
  /** Of the sound that came last. */
  #sound: PayloadFormat | null = null;
  #latched: { readonly from: HostPort; atMs: number } | null = null;
  #reception: Reception | null = null;
  #former: { readonly ssrc: number; readonly untilMs: number } | null = null;
  #timestamps = new SequenceUnwrapper(32);
  #timestamp = 0;
  #keys = new KeyReader();
  #keySequence: number | null = null;
  /** Sound is there until then; null: none has come yet. */
  #heardUntilMs: number | null = null;
  /** The peer said so. */
  #isQuiet = false;

  constructor(sink: MediaSink) {
    this.#sink = sink;
  }

  /** Where sound comes from; null: none came lately. */
  get source(): HostPort | null {
    return this.#latched?.from ?? null;
  }

  get reception(): Reception | null {
    return this.#reception;
  }

  use(plan: MediaPlan): void {
    // A peer that moves says so, and may be heard from there at once.
    if (this.#plan && !sameHostPort(this.#plan.remote, plan.remote)) this.#latched = null;
    this.#plan = plan;
  }

  /** Sound is heard until now from now on: the call was taken off hold, or put on it. */
  begin(nowMs: number): void {
    this.#heardUntilMs = Math.max(this.#heardUntilMs ?? 0, nowMs);
  }

  /** Whether it was the peer's. `isHeard` false: on hold; what comes keeps the call alive and is not listened to. */
  datagram(bytes: Buffer, from: HostPort, nowMs: number, isHeard: boolean): boolean {
    const packet = parseRtp(bytes);
    if (!packet || !this.#plan || !this.#isKnown(packet.payloadType, this.#plan)) {
      this.counts.unreadable += 1;
      return false;
    }
    if (!this.#isPeer(from, this.#plan, nowMs)) {
      this.counts.strangers += 1;
      return false;
    }
    if (this.#isCurrentSource(packet.ssrc, nowMs)) {
      const sequence = this.#reception!.packet(packet.sequence, packet.timestamp, nowMs);
      if (isHeard) this.#take(packet, sequence, this.#plan, nowMs);
    }
    return true;
  }

  /** Now and then: makes the silence that did not come. */
  tick(nowMs: number, isHeard: boolean): void {
    if (this.#heardUntilMs === null) return;
    const silentMs = nowMs - this.#heardUntilMs;
    if (silentMs < (this.#isQuiet || !isHeard ? QUIET_MS : STALLED_MS)) return;
    // From here on it goes by the clock, until something comes.
    this.#isQuiet = true;
    this.#heardUntilMs = nowMs;
    this.#sink.quiet(silentMs);
  }

  #isKnown(payloadType: number, { comfortNoise, formats, keys }: MediaPlan): boolean {
    return formats.has(payloadType) || payloadType === keys?.payloadType || payloadType === comfortNoise;
  }

  /** Whoever is first, unless the announced address speaks; then nobody else, while he does. */
  #isPeer(from: HostPort, { remote }: MediaPlan, nowMs: number): boolean {
    const latched = this.#latched;
    if (latched && sameHostPort(latched.from, from)) {
      latched.atMs = nowMs;
      return true;
    }
    const isFree = !latched || nowMs - latched.atMs > LATCHED_MS || sameHostPort(from, remote);
    if (isFree) this.#latched = { from, atMs: nowMs };
    return isFree;
  }

  #isCurrentSource(ssrc: number, nowMs: number): boolean {
    if (this.#reception?.ssrc === ssrc) return true;
    if (this.#former?.ssrc === ssrc && nowMs < this.#former.untilMs) return false;
    if (this.#reception) {
      this.#former = { ssrc: this.#reception.ssrc, untilMs: nowMs + FORMER_MS };
      this.#sink.restarted();
    }
    this.counts.sources += 1;
    this.#reception = new Reception(ssrc, this.#clockRateHz());
    this.#timestamps = new SequenceUnwrapper(32);
    this.#timestamp = 0;
    this.#keys = new KeyReader();
    this.#keySequence = null;
    return true;
  }

  /** The codec changed, and with it what timestamps count: what comes is another stream. */
  #otherClock(clockRateHz: number): void {
    this.#timestamps = new SequenceUnwrapper(32);
    this.#timestamp = 0;
    this.#reception!.use(clockRateHz);
    this.#sink.restarted();
  }

  #clockRateHz(): number {
    const { formats, payloadType } = this.#plan!;
    return formats.get(payloadType)?.clockRateHz ?? 8000;
  }

  #take(
    { payloadType, payload, timestamp }: RtpPacket,
    sequence: number,
    plan: MediaPlan,
    nowMs: number,
  ): void {
    if (payloadType === plan.keys?.payloadType) {
      // Some say the end of a key three times under one number: that is no repeat of sound.
      if (this.#keySequence !== sequence) this.#sink.packet({ sequence, mediaMs: 0, payload: NO_SOUND });
      this.#keySequence = sequence;
      const key = this.#keys.read(timestamp, payload);
      if (key !== null) this.#sink.key(key);
      return;
    }
    if (payloadType === plan.comfortNoise) {
      this.#sink.packet({ sequence, mediaMs: 0, payload: NO_SOUND });
      this.#isQuiet = true;
      return;
    }
    const sound = plan.formats.get(payloadType)!;
    const { clockRateHz, format } = sound;
    if (this.#sound?.format !== format) {
      if (this.#sound && this.#sound.clockRateHz !== clockRateHz) this.#otherClock(clockRateHz);
      this.#sound = sound;
      this.#sink.format(format);
    }
    const unwrapped = this.#timestamps.unwrap(timestamp);
    if (unwrapped - this.#timestamp > (JUMP_MS * clockRateHz) / 1000) this.#reception!.jumped();
    this.#timestamp = unwrapped;
    this.#isQuiet = false;
    this.#heardUntilMs = nowMs;
    this.#sink.packet({ sequence, mediaMs: (unwrapped * 1000) / clockRateHz, payload });
  }
}
