/**
 * What comes by a telephone line, packet by packet, as sound in order at 16 kHz: what is early waits for what is late,
 * what was lost is filled, and what was not sent is silence.
 */
import type { Timer } from '../../actors/core/clock.ts';
import type { Timers } from '../guard/index.ts';
import {
  type Heard,
  isSameFormat,
  JitterBuffer,
  type JitterCounts,
  type LineDecoder,
  type LineFormat,
  lineDecoder,
  packetMs,
  SESSION_INPUT_RATE_HZ,
} from '../media/index.ts';

/** A stretch that did not come is silence for the ear, and no more of it than what makes any turn end. */
const MAX_FILL_MS = 1000;

/** Sound of one packet, in the line's format. */
export interface PhonePacket {
  /**
   * Null: the carrier numbers nothing, and what comes is in order. A number without payload is one that carries no
   * sound.
   */
  readonly sequence: number | null;
  /** Absent with a sequence: packets stand one behind the other. */
  readonly mediaMs: number | null;
  readonly payload: Buffer;
}

export interface EarPiece {
  /** 16 kHz. */
  readonly samples: Float32Array;
  readonly lost: boolean;
  /** In the jitter buffer. */
  readonly waitedMs: number;
  /** Came, and is not handed on yet. */
  readonly heldBackMs: number;
}

export class LineEar {
  readonly #clock: Timers;
  readonly #hear: (piece: EarPiece) => void;
  readonly #jitter = new JitterBuffer();
  /** Of what comes. */
  #format: LineFormat;
  #decoder: LineDecoder;
  #holeTimer: Timer | null = null;
  /** Where the next packet without a time of its own stands. */
  #mediaMs = 0;
  #isStopped = false;

  constructor(format: LineFormat, clock: Timers, hear: (piece: EarPiece) => void) {
    this.#format = format;
    this.#decoder = lineDecoder(format);
    this.#clock = clock;
    this.#hear = hear;
  }

  get counts(): JitterCounts {
    return this.#jitter.counts;
  }

  packet({ sequence, mediaMs, payload }: PhonePacket): void {
    if (sequence === null) {
      if (payload.length > 0) this.#sound(payload, 0);
      return;
    }
    const durationMs = packetMs(this.#format, payload);
    const atMs = mediaMs ?? this.#mediaMs;
    this.#mediaMs = atMs + durationMs;
    const packet = { sequence, mediaMs: atMs, durationMs, payload };
    this.#hearAll(this.#jitter.push(packet, this.#clock.nowMs()));
    this.#watchHole();
  }

  /** What comes next is in another format. */
  format(format: LineFormat): void {
    if (isSameFormat(format, this.#format)) return;
    this.#hearAll(this.#jitter.drain());
    this.#format = format;
    this.#decoder = lineDecoder(format);
  }

  /** Nothing has come for so long: silence by the clock, so that a turn can end. */
  quiet(ms: number): void {
    this.#hearAll([...this.#jitter.drain(), ...this.#jitter.fill(ms)]);
  }

  /** What comes next is another stream. */
  restarted(): void {
    this.#hearAll(this.#jitter.restart());
  }

  /** What waits is heard now. */
  drain(): void {
    this.#hearAll(this.#jitter.drain());
  }

  /** Nothing more is heard. */
  stop(): void {
    this.#isStopped = true;
    this.#holeTimer?.cancel();
  }

  #hearAll(all: readonly Heard[]): void {
    for (let n = 0; n < all.length && !this.#isStopped; n++) {
      const heard = all[n];
      if (heard.type === 'sound') this.#sound(heard.payload, this.#waitedMs(heard));
      else if (heard.type === 'gap') this.#silence(heard.ms, false, 0);
      else {
        const next = all[n + 1];
        const sound = next?.type === 'sound' ? next : null;
        // It was to come a packet before the one that is there.
        const waitedMs = sound ? this.#waitedMs(sound) + packetMs(this.#format, sound.payload) : 0;
        this.#lost(Math.min(heard.ms, MAX_FILL_MS), sound?.payload ?? null, waitedMs);
      }
    }
  }

  #waitedMs({ arrivalMs }: Extract<Heard, { type: 'sound' }>): number {
    return Math.max(0, this.#clock.nowMs() - arrivalMs);
  }

  #sound(payload: Buffer, waitedMs: number): void {
    const samples = this.#decoder.sound(payload);
    if (samples) this.#tell(samples, false, waitedMs);
    else this.#lost(packetMs(this.#format, payload), null, waitedMs);
  }

  #lost(ms: number, next: Buffer | null, waitedMs: number): void {
    const { pieces, silentMs } = this.#decoder.lost(ms, next);
    this.#silence(silentMs, true, waitedMs);
    for (const { samples, lost } of pieces) this.#tell(samples, lost, waitedMs);
  }

  #silence(ms: number, lost: boolean, waitedMs: number): void {
    const samples = new Float32Array(Math.round((Math.min(ms, MAX_FILL_MS) * SESSION_INPUT_RATE_HZ) / 1000));
    this.#tell(samples, lost, waitedMs);
  }

  #tell(samples: Float32Array, lost: boolean, waitedMs: number): void {
    if (samples.length > 0) this.#hear({ samples, lost, waitedMs, heldBackMs: this.#decoder.heldBackMs });
  }

  #watchHole(): void {
    this.#holeTimer?.cancel();
    this.#holeTimer = null;
    const dueAtMs = this.#jitter.dueAtMs;
    if (dueAtMs === null) return;
    this.#holeTimer = this.#clock.setTimer(Math.max(0, dueAtMs - this.#clock.nowMs()), () => {
      this.#holeTimer = null;
      this.#hearAll(this.#jitter.due(this.#clock.nowMs()));
      this.#watchHole();
    });
  }
}
