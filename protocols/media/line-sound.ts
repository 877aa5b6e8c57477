/**
 * Sound of a telephone line, packet by packet: of codecs that count bytes and of Opus, whose packets stand for
 * themselves.
 */
import { bytesOfMs, CODECS, type MediaFormat, msOfBytes } from './codec.ts';
import { type FilledHole, lostOpus, OPUS_FRAME_MS, OPUS_SILENCE, opusPacketMs } from './opus.ts';
import type { OpusFormat, OpusVoice } from './opus-voice.ts';
import {
  createAudioDecoder,
  createAudioEncoder,
  SESSION_INPUT_RATE_HZ,
  SESSION_OUTPUT_RATE_HZ,
} from './streams.ts';

export type LineFormat = MediaFormat | OpusFormat;

/** What comes, at 16 kHz. */
export interface LineDecoder {
  /** Null: this is no sound; it counts as lost. */
  sound(payload: Buffer): Float32Array | null;
  /** So much was sent and did not come; `next`: the packet behind it, which is handed on by itself. */
  lost(ms: number, next: Buffer | null): FilledHole;
  /** Of what came, so much has not been handed on yet. */
  readonly heldBackMs: number;
}

/** What leaves, in whole frames; one stream of 24 kHz after the other. */
export interface LineEncoder {
  push(samples: Float32Array): Buffer[];
  /** What is left, filled up with silence. */
  finish(): Buffer[];
  /** Less than a frame is there. */
  readonly isEmpty: boolean;
}

/** An Opus format is one call's. */
export function isSameFormat(a: LineFormat, b: LineFormat): boolean {
  if (a.codec === 'opus' || b.codec === 'opus') return a === b;
  return a.codec === b.codec && a.rateHz === b.rateHz;
}

/** Milliseconds of sound in a packet; 0: none. */
export function packetMs(format: LineFormat, payload: Buffer): number {
  return format.codec === 'opus' ? opusPacketMs(payload) : msOfBytes(format, payload.length);
}

/** One frame, 20 ms with Opus. */
export function silentFrame(format: LineFormat, ms: number): Buffer {
  if (format.codec === 'opus') return OPUS_SILENCE;
  return Buffer.alloc(bytesOfMs(format, ms), CODECS[format.codec].silenceByte);
}

export function lineDecoder(format: LineFormat): LineDecoder {
  if (format.codec === 'opus') {
    const { voice } = format;
    return {
      sound: payload => voice.decode(payload),
      lost: (ms, next) => lostOpus(voice, ms, next),
      heldBackMs: 0,
    };
  }
  const decoder = createAudioDecoder(format);
  let heldBackMs = 0;
  return {
    get heldBackMs() {
      return heldBackMs;
    },
    sound(payload) {
      const samples = decoder.push(payload);
      heldBackMs += msOfBytes(format, payload.length) - (samples.length * 1000) / SESSION_INPUT_RATE_HZ;
      return samples;
    },
    lost: ms => {
      decoder.dropHalfSample();
      const samples = new Float32Array(Math.round((ms * SESSION_INPUT_RATE_HZ) / 1000));
      return { silentMs: 0, pieces: [{ samples, lost: true }] };
    },
  };
}

/** `frameMs` is 20 with Opus. */
export function lineEncoder(format: LineFormat, frameMs: number): LineEncoder {
  return format.codec === 'opus' ? new OpusFrames(format.voice) : new ByteFrames(format, frameMs);
}

const NOTHING = Buffer.alloc(0);

class ByteFrames implements LineEncoder {
  readonly #frameBytes: number;
  readonly #silenceByte: number;
  readonly #encoder: ReturnType<typeof createAudioEncoder>;
  /** Encoded, and less than a frame. */
  #rest: Buffer = NOTHING;

  constructor(format: MediaFormat, frameMs: number) {
    this.#frameBytes = bytesOfMs(format, frameMs);
    this.#silenceByte = CODECS[format.codec].silenceByte;
    this.#encoder = createAudioEncoder(format);
  }

  get isEmpty(): boolean {
    return this.#rest.length === 0;
  }

  push(samples: Float32Array): Buffer[] {
    return this.#frames(this.#encoder.push(samples));
  }

  finish(): Buffer[] {
    const frames = this.#frames(this.#encoder.finish());
    if (this.#rest.length > 0)
      frames.push(...this.#frames(Buffer.alloc(this.#frameBytes - this.#rest.length, this.#silenceByte)));
    return frames;
  }

  #frames(bytes: Buffer): Buffer[] {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    if (all.length === this.#frameBytes) {
      this.#rest = NOTHING;
      return [all];
    }
    const frames: Buffer[] = [];
    let at = 0;
    for (; at + this.#frameBytes <= all.length; at += this.#frameBytes)
      frames.push(all.subarray(at, at + this.#frameBytes));
    this.#rest = at === all.length ? NOTHING : Buffer.from(all.subarray(at));
    return frames;
  }
}

const OPUS_SAMPLES = (SESSION_OUTPUT_RATE_HZ * OPUS_FRAME_MS) / 1000;

class OpusFrames implements LineEncoder {
  readonly #voice: OpusVoice;
  readonly #frame = new Float32Array(OPUS_SAMPLES);
  #filled = 0;
  /** Silence was sent before this stream. */
  #isFirst = true;

  constructor(voice: OpusVoice) {
    this.#voice = voice;
  }

  get isEmpty(): boolean {
    return this.#filled === 0;
  }

  push(samples: Float32Array): Buffer[] {
    const frames: Buffer[] = [];
    for (let at = 0; at < samples.length; ) {
      const part = samples.subarray(at, at + OPUS_SAMPLES - this.#filled);
      this.#frame.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === OPUS_SAMPLES) frames.push(this.#encoded());
    }
    return frames;
  }

  finish(): Buffer[] {
    const frames: Buffer[] = [];
    if (this.#filled > 0) {
      this.#frame.fill(0, this.#filled);
      frames.push(this.#encoded());
    }
    this.#isFirst = true;
    return frames;
  }

  #encoded(): Buffer {
    const packet = this.#voice.encode(this.#frame, this.#isFirst);
    this.#isFirst = false;
    this.#filled = 0;
    return packet;
  }
}
