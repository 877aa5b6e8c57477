/**
 * The speaker of a WebRTC call: what play-out writes by its clock, 20 ms at a time and a little ahead, leaves at once
 * as a packet; the far jitter buffer wants it steady. Nothing more is queued here, so that nearly all of what is not
 * heard yet can still be taken back.
 */
import { EMPTY } from 'rxjs';
import type { Timer } from '../../actors/core/clock.ts';
import type { Speaker } from '../../actors/session-api.ts';
import type { Timers } from '../guard/index.ts';
import { OPUS_CLOCK_HZ, OPUS_FRAME_MS, type OpusEncoder, SESSION_OUTPUT_RATE_HZ } from '../media/index.ts';
import type { VoiceOut } from './peer.ts';

/** Two packets on their way while the next is made: room for a turn of our event loop. */
const LEAD_MS = 40;
/** From a packet's time to the ear: half a round trip, the browser's jitter buffer, its device. */
const LATENCY_MS = 60;
const FRAME_SAMPLES = (SESSION_OUTPUT_RATE_HZ * OPUS_FRAME_MS) / 1000;
const SAMPLES_PER_MS = SESSION_OUTPUT_RATE_HZ / 1000;
const TICKS_PER_FRAME = (OPUS_CLOCK_HZ * OPUS_FRAME_MS) / 1000;
/** Silence behind the last word, so that the far end does not stretch it while it waits for more. */
const TAIL_FRAMES = 10;
const SILENCE = new Float32Array(FRAME_SAMPLES);

export interface VoiceSpeakerEvents {
  /** The first of an item's sound leaves. */
  readonly onStarted: (itemId: string) => void;
  /** All of it has reached the ear. */
  readonly onStopped: (itemId: string) => void;
  /** It was taken back. */
  readonly onCleared: (itemId: string) => void;
}

export class VoiceSpeaker implements Speaker {
  readonly latencyMs = LATENCY_MS;
  readonly leadMs = LEAD_MS;
  /** By our clock: play-out counts what it wrote. */
  readonly played$ = EMPTY;
  readonly #encoder: OpusEncoder;
  readonly #clock: Timers;
  readonly #send: (packet: VoiceOut) => void;
  readonly #events: VoiceSpeakerEvents;
  readonly #startMs: number;
  #itemId: string | null = null;
  #rest: Float32Array = new Float32Array(0);
  /** Of the item: written. */
  #written = 0;
  /** When what was written will have left towards the ear. */
  #playEndMs = 0;
  /** The next packet's. */
  #timestamp = 0;
  #tail = 0;
  #tailTimer: Timer | null = null;
  #ending: Timer | null = null;
  #closed = false;

  constructor(
    encoder: OpusEncoder,
    clock: Timers,
    send: (packet: VoiceOut) => void,
    events: VoiceSpeakerEvents,
  ) {
    this.#encoder = encoder;
    this.#clock = clock;
    this.#send = send;
    this.#events = events;
    this.#startMs = clock.nowMs();
  }

  /** The item that is being played, and the samples of it that were heard by now. */
  get heard(): { readonly itemId: string; readonly samples: number } | null {
    if (this.#itemId === null) return null;
    const aheadMs = Math.max(0, this.#playEndMs + LATENCY_MS - this.#clock.nowMs());
    return {
      itemId: this.#itemId,
      samples: Math.max(0, Math.round(this.#written - aheadMs * SAMPLES_PER_MS)),
    };
  }

  write(itemId: string, samples: Float32Array): void {
    if (this.#closed) return;
    if (itemId !== this.#itemId) this.#begin(itemId);
    this.#written += samples.length;
    const nowMs = this.#clock.nowMs();
    this.#playEndMs = Math.max(this.#playEndMs, nowMs) + samples.length / SAMPLES_PER_MS;
    const all = this.#rest.length === 0 ? samples : joined(this.#rest, samples);
    let at = 0;
    for (; at + FRAME_SAMPLES <= all.length; at += FRAME_SAMPLES)
      this.#packet(all.subarray(at, at + FRAME_SAMPLES));
    this.#rest = all.slice(at);
  }

  end(itemId: string): void {
    if (this.#closed || itemId !== this.#itemId) return;
    if (this.#rest.length > 0) {
      const last = new Float32Array(FRAME_SAMPLES);
      last.set(this.#rest);
      this.#rest = new Float32Array(0);
      this.#packet(last);
    }
    this.#quietly(TAIL_FRAMES);
    const leftMs = Math.max(0, this.#playEndMs + LATENCY_MS - this.#clock.nowMs());
    this.#ending?.cancel();
    this.#ending = this.#clock.setTimer(leftMs, () => {
      this.#ending = null;
      this.#itemId = null;
      this.#events.onStopped(itemId);
    });
  }

  flush(): void {
    this.#rest = new Float32Array(0);
    const itemId = this.#itemId;
    this.#forget();
    if (itemId === null || this.#closed) return;
    this.#quietly(TAIL_FRAMES);
    this.#events.onCleared(itemId);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    this.#tailTimer?.cancel();
    this.#encoder.free();
  }

  #begin(itemId: string): void {
    const before = this.#itemId;
    this.#forget();
    if (before !== null) this.#events.onStopped(before);
    this.#itemId = itemId;
    this.#written = 0;
    this.#tail = 0;
    this.#events.onStarted(itemId);
  }

  #forget(): void {
    this.#ending?.cancel();
    this.#ending = null;
    this.#itemId = null;
    this.#playEndMs = 0;
  }

  /** What follows at once has the next timestamp; what follows a silence has the clock's. */
  #packet(samples: Float32Array): void {
    const clockTicks = Math.round(((this.#clock.nowMs() - this.#startMs) * OPUS_CLOCK_HZ) / 1000);
    // Timers are late by some milliseconds: only what is clearly behind is a new beginning.
    const isNew = clockTicks - this.#timestamp > 2 * TICKS_PER_FRAME;
    if (isNew) this.#timestamp = clockTicks;
    const payload = this.#encoder.encode(samples);
    this.#send({ payload, timestamp: this.#timestamp >>> 0, marker: isNew });
    this.#timestamp += TICKS_PER_FRAME;
  }

  /** So many packets of silence, at their pace, unless speech comes first. */
  #quietly(frames: number): void {
    this.#tail = frames;
    if (this.#tailTimer) return;
    const next = () => {
      this.#tailTimer = null;
      if (this.#tail <= 0 || this.#closed) return;
      this.#tail -= 1;
      this.#packet(SILENCE);
      this.#tailTimer = this.#clock.setTimer(OPUS_FRAME_MS, next);
    };
    this.#tailTimer = this.#clock.setTimer(OPUS_FRAME_MS, next);
  }
}

function joined(a: Float32Array, b: Float32Array): Float32Array {
  const all = new Float32Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
