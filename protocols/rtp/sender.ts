/**
 * The stream that leaves: one packet each turn of the wheel, sound where there is some and silence where there is none,
 * so that the far jitter buffer and every NAT on the way see a steady stream; where comfort noise was agreed on (RFC
 * 3389), it is told how loud the silence is, and then only now and then again. Marks tell when the sound before them
 * should have reached the ear.
 */
import { integer, type Random } from '../../actors/core/index.ts';
import { silentFrame } from '../media/index.ts';
import type { PayloadFormat } from './media-plan.ts';
import { rtpPacket } from './packet.ts';
import { type EventPacket, keyPackets } from './telephone-event.ts';
import { PERIOD_MS } from './wheel.ts';

/** Play-out is ahead by a few; more is a fault of ours, and the newest gives way. */
const MAX_QUEUED = 100;
const MAX_KEYS = 64;
const KEY_MS = 120;
const KEY_GAP_TICKS = 3;
/**
 * Silence that is sent as it is before its noise is told, and how often it is told again (RFC 3389 §4 leaves both to
 * us).
 */
const NOISE_AFTER_TICKS = 10;
const NOISE_EVERY_TICKS = 10;
/** −dBov: a quiet line, so that nobody thinks it dead. */
const NOISE_LEVEL = Buffer.from([70]);

interface Queued {
  readonly frame: Buffer;
  readonly payloadType: number;
  readonly marks: string[];
}

export interface SenderOptions {
  readonly random: Random;
  readonly write: (packet: Buffer) => void;
  /** The sound before this mark was heard, at that time. */
  readonly onMark: (name: string, atMs: number) => void;
}

export class RtpSender {
  readonly ssrc: number;
  packets = 0;
  bytes = 0;
  /** From leaving here to the far ear. */
  latencyMs: number;
  readonly #options: SenderOptions;
  #payloadType = 0;
  #format: PayloadFormat | null = null;
  #silence: Buffer = Buffer.alloc(0);
  /** Of comfort noise; null: not agreed on. */
  #noise: number | null = null;
  #silentTicks = 0;
  #keys: { readonly payloadType: number; readonly clockRateHz: number } | null = null;
  #sequence: number;
  #timestamp: number;
  #lastDueAtMs: number | null = null;
  /** The next packet begins a stretch. */
  #isFresh = true;
  readonly #queue: Queued[] = [];
  /** Marks whose sound has left, with the time at which it is heard. */
  #owed: { readonly name: string; readonly atMs: number }[] = [];
  readonly #keyQueue: EventPacket[][] = [];
  #key: { readonly packets: EventPacket[]; readonly timestamp: number } | null = null;
  #keyGap = 0;

  constructor(options: SenderOptions, latencyMs: number) {
    this.#options = options;
    this.latencyMs = latencyMs;
    this.ssrc = integer(options.random, 2 ** 32);
    this.#sequence = integer(options.random, 2 ** 15);
    this.#timestamp = integer(options.random, 2 ** 31);
  }

  get timestamp(): number {
    return this.#timestamp;
  }

  get clockRateHz(): number {
    return this.#format?.clockRateHz ?? 8000;
  }

  use(
    payloadType: number,
    format: PayloadFormat,
    keys: { readonly payloadType: number; readonly clockRateHz: number } | null,
    comfortNoise: number | null = null,
  ): void {
    this.#noise = comfortNoise;
    this.#payloadType = payloadType;
    this.#format = format;
    this.#keys = keys;
    this.#silence = silentFrame(format.format, PERIOD_MS);
  }

  play(frame: Buffer): void {
    if (this.#queue.length < MAX_QUEUED)
      this.#queue.push({ frame, payloadType: this.#payloadType, marks: [] });
  }

  mark(name: string, nowMs: number): void {
    const last = this.#queue.at(-1);
    if (last) last.marks.push(name);
    else this.#owed.push({ name, atMs: nowMs + this.latencyMs });
  }

  clear(): void {
    this.#queue.length = 0;
    this.#owed = [];
  }

  /** False: no key of a telephone, keys were not agreed on, or too many wait. */
  sendKey(key: string): boolean {
    const packets = this.#keys && keyPackets(key, KEY_MS, this.#keys.clockRateHz);
    if (!packets || this.#keyQueue.length >= MAX_KEYS) return false;
    this.#keyQueue.push(packets);
    return true;
  }

  /** Sound was not sent for a while, and is again. */
  rested(): void {
    this.#isFresh = true;
  }

  /** `isSpeaking` false: on hold; time goes on, nothing leaves. */
  tick(dueAtMs: number, nowMs: number, isSpeaking: boolean): void {
    const format = this.#format;
    if (!format) return;
    const periods =
      this.#lastDueAtMs === null ? 1 : Math.max(1, Math.round((dueAtMs - this.#lastDueAtMs) / PERIOD_MS));
    this.#lastDueAtMs = dueAtMs;
    this.#timestamp = (this.#timestamp + (periods * PERIOD_MS * format.clockRateHz) / 1000) % 2 ** 32;
    if (isSpeaking) this.#send(nowMs);
    else this.#isFresh = true;
    this.#tellMarks(nowMs);
  }

  #send(nowMs: number): void {
    if (this.#sendKeyPacket()) return;
    const next = this.#queue.shift();
    if (this.#isNoise(next === undefined)) return;
    this.#write(
      next?.payloadType ?? this.#payloadType,
      this.#isFresh,
      this.#timestamp,
      next?.frame ?? this.#silence,
    );
    this.#isFresh = false;
    for (const name of next?.marks ?? []) this.#owed.push({ name, atMs: nowMs + PERIOD_MS + this.latencyMs });
  }

  /** Whether this packet's time goes by with noise, told or known. */
  #isNoise(isSilent: boolean): boolean {
    this.#silentTicks = isSilent ? this.#silentTicks + 1 : 0;
    const ticks = this.#silentTicks - NOISE_AFTER_TICKS;
    if (this.#noise === null || ticks <= 0) return false;
    if (ticks % NOISE_EVERY_TICKS === 1) this.#write(this.#noise, false, this.#timestamp, NOISE_LEVEL);
    this.#isFresh = true;
    return true;
  }

  #sendKeyPacket(): boolean {
    if (this.#keyGap > 0) this.#keyGap -= 1;
    if (!this.#key && this.#keyGap === 0) {
      const packets = this.#keyQueue.shift();
      if (packets) this.#key = { packets, timestamp: this.#timestamp };
    }
    if (!this.#key || !this.#keys) return false;
    const { marker, payload } = this.#key.packets.shift()!;
    this.#write(this.#keys.payloadType, marker, this.#key.timestamp, payload);
    if (this.#key.packets.length === 0) {
      this.#key = null;
      this.#keyGap = KEY_GAP_TICKS;
    }
    return true;
  }

  #write(payloadType: number, marker: boolean, timestamp: number, payload: Uint8Array): void {
    const header = { payloadType, marker, sequence: this.#sequence, timestamp, ssrc: this.ssrc };
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.packets += 1;
    this.bytes += payload.length;
    this.#options.write(rtpPacket(header, payload));
  }

  #tellMarks(nowMs: number): void {
    while (this.#owed.length > 0 && this.#owed[0].atMs <= nowMs + 1e-6) {
      const { name, atMs } = this.#owed.shift()!;
      this.#options.onMark(name, atMs);
    }
  }
}
