/**
 * The caller's voice from packets to the session: order, loss and silence as the telephone doors have them
 * (`protocols/media/`), the sound by Opus. A packet that is lost is taken from the copy in the next one where there is
 * one, else concealed and named lost; what was not sent is named lost too, never zeros that could be taken for the room
 * (docs/spec/webrtc.md §5).
 */
import type { Timer } from '../../actors/core/clock.ts';
import type { Timers } from '../guard/index.ts';
import {
  type Heard,
  JitterBuffer,
  type JitterCounts,
  lostOpus,
  OPUS_CLOCK_HZ,
  type OpusDecoder,
  opusPacketMs,
  type Packet,
  SESSION_INPUT_RATE_HZ,
  SequenceUnwrapper,
  type TrackSound,
} from '../media/index.ts';
import type { AudioLevel, RtpIn } from './peer.ts';
import { KeyPresses } from './telephone-event.ts';

/** A stretch that did not come passes for silence, and no more of it than what makes any turn end. */
const MAX_FILL_MS = 3000;
/** A sender that is silent for so long sends nothing (muted, gone); more than any jitter that is waited for. */
const SILENT_AFTER_MS = 240;
const FILL_MS = 100;
/** RFC 6464 §3: digital silence. Encoded and decoded it is not quite that, and would pass for a very quiet room. */
const NOTHING_DB = 127;
/** No Opus packet of one voice is longer (RFC 7587 §4.2: 510 kbit/s, 20 ms). */
const MAX_VOICE_BYTES = 1500;

/** What a packet's way took beyond the least. */
interface PacketWay {
  readonly waitedMs: number;
  readonly lateMs: number;
}

const NO_WAY: PacketWay = { waitedMs: 0, lateMs: 0 };

export interface VoiceIntakeOptions {
  readonly decoder: OpusDecoder;
  readonly clock: Timers;
  /** The payload types of telephone-event. */
  readonly keyTypes: ReadonlySet<number>;
  readonly onSound: (sound: TrackSound) => void;
  readonly onKey: (key: string) => void;
}

export class VoiceIntake {
  readonly #options: VoiceIntakeOptions;
  readonly #jitter = new JitterBuffer();
  readonly #keys = new KeyPresses();
  #sequences = new SequenceUnwrapper(16);
  #timestamps = new SequenceUnwrapper(32);
  /** What the sender says of what it sent. */
  readonly #levels = new WeakMap<Buffer, AudioLevel>();
  /** It once said that there is a voice; one that never does is not believed that there is none. */
  #tellsVoices = false;
  #ssrc: number | null = null;
  #timer: Timer | null = null;
  /** Until when the sound that was handed on reaches, if the sender went on. */
  #lastAtMs: number;
  /** Handed on for a sender that is silent, since its last packet. */
  #filledMs = 0;
  #stopped = false;

  constructor(options: VoiceIntakeOptions) {
    this.#options = options;
    this.#lastAtMs = options.clock.nowMs();
  }

  get counts(): Readonly<JitterCounts> {
    return this.#jitter.counts;
  }

  /** How long a hole is waited for now. */
  get waitMs(): number {
    return this.#jitter.waitMs;
  }

  packet({ ssrc, payloadType, sequence, timestamp, payload, level }: RtpIn): void {
    if (this.#stopped || payload.length > MAX_VOICE_BYTES) return;
    if (ssrc !== this.#ssrc) this.#begin(ssrc);
    const isKey = this.#options.keyTypes.has(payloadType);
    const durationMs = isKey ? 0 : opusPacketMs(payload);
    if (isKey) this.#key(payload, timestamp);
    // A key's packets are numbered with the voice's: they hold their place, or they would be holes.
    const packet: Packet = {
      sequence: this.#sequences.unwrap(sequence),
      mediaMs: (this.#timestamps.unwrap(timestamp) * 1000) / OPUS_CLOCK_HZ,
      durationMs,
      payload: durationMs === 0 ? Buffer.alloc(0) : payload,
    };
    if (level) this.#levels.set(payload, level);
    this.#hear(this.#jitter.push(packet, this.#options.clock.nowMs()));
    this.#watch();
  }

  /** What waits is heard: the stream is over. */
  stop(): void {
    if (this.#stopped) return;
    this.#hear(this.#jitter.drain());
    this.#stopped = true;
    this.#timer?.cancel();
    this.#options.decoder.free();
  }

  /** A sender that begins anew has its own numbers. */
  #begin(ssrc: number): void {
    this.#hear(this.#jitter.drain());
    this.#ssrc = ssrc;
    this.#sequences = new SequenceUnwrapper(16);
    this.#timestamps = new SequenceUnwrapper(32);
  }

  #key(payload: Buffer, timestamp: number): void {
    const key = this.#keys.packet(payload, timestamp);
    if (key !== null) this.#options.onKey(key);
  }

  #hear(heard: readonly Heard[]): void {
    for (let i = 0; i < heard.length; i++) {
      const one = heard[i];
      if (one.type === 'sound') this.#sound(one.payload, this.#wayOf(one));
      else if (one.type === 'gap') this.#silence(one.ms, NO_WAY);
      else {
        const next = heard[i + 1];
        const isCopied = next?.type === 'sound' && next.payload.length > 0;
        this.#lost(one.ms, isCopied ? next.payload : null, isCopied ? this.#wayOf(next) : NO_WAY);
      }
    }
  }

  #wayOf({ arrivalMs, lateMs }: Extract<Heard, { type: 'sound' }>): PacketWay {
    return { waitedMs: Math.max(0, this.#options.clock.nowMs() - arrivalMs), lateMs };
  }

  #sound(payload: Buffer, way: PacketWay): void {
    if (payload.length === 0) return;
    const { clock, decoder, onSound } = this.#options;
    this.#lastAtMs = clock.nowMs();
    this.#filledMs = 0;
    const samples = decoder.decode(payload);
    const level = this.#levels.get(payload);
    if (level?.isVoice) this.#tellsVoices = true;
    const isOff = level?.belowFullDb === NOTHING_DB;
    const isVoiceless = this.#tellsVoices && level?.isVoice === false;
    if (samples) onSound({ samples, lost: isOff, isVoiceless, ...way });
    else onSound({ samples: decoder.conceal(opusPacketMs(payload)), lost: true, ...way });
  }

  #lost(ms: number, next: Buffer | null, { waitedMs, lateMs }: PacketWay): void {
    const { decoder, onSound } = this.#options;
    const { pieces, silentMs } = lostOpus(decoder, ms, next);
    // It was to come a packet before the one that is there.
    const way = { waitedMs: next ? waitedMs + opusPacketMs(next) : 0, lateMs };
    this.#silence(silentMs, way);
    for (const { samples, lost } of pieces) onSound({ samples, lost, ...way });
  }

  /** So much passed that was not sent; part of it may have been handed on already. */
  #silence(ms: number, way: PacketWay): void {
    const already = Math.min(ms, this.#filledMs);
    this.#filledMs -= already;
    this.#fill(Math.max(0, Math.min(ms, MAX_FILL_MS) - already), way);
  }

  #fill(ms: number, way: PacketWay): void {
    const samples = new Float32Array(Math.round((ms * SESSION_INPUT_RATE_HZ) / 1000));
    if (samples.length > 0) this.#options.onSound({ samples, lost: true, ...way });
  }

  /** One timer: for a hole that is due, or for a sender that has fallen silent. */
  #watch(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#stopped) return;
    const { clock } = this.#options;
    const nowMs = clock.nowMs();
    const fillAtMs =
      this.#filledMs >= MAX_FILL_MS
        ? Number.POSITIVE_INFINITY
        : this.#lastAtMs + SILENT_AFTER_MS + this.#filledMs;
    const atMs = Math.min(this.#jitter.dueAtMs ?? Number.POSITIVE_INFINITY, fillAtMs);
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#timer = clock.setTimer(Math.max(0, atMs - nowMs), () => this.#due());
  }

  #due(): void {
    this.#timer = null;
    const nowMs = this.#options.clock.nowMs();
    this.#hear(this.#jitter.due(nowMs));
    if (nowMs + 1e-6 >= this.#lastAtMs + SILENT_AFTER_MS + this.#filledMs) {
      this.#filledMs += FILL_MS;
      this.#fill(FILL_MS, NO_WAY);
    }
    this.#watch();
  }
}
