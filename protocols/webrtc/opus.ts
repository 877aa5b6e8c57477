/** Opus (RFC 6716) at the session's rates: 16 kHz in, 24 kHz out, mono. A stereo packet is mixed by the decoder. */
import type * as Library from 'libopus-wasm';
import { SESSION_INPUT_RATE_HZ, SESSION_OUTPUT_RATE_HZ } from '../media/index.ts';
import { loadLibopus } from './libraries.ts';

export const OPUS_CLOCK_HZ = 48_000;
export const OPUS_FRAME_MS = 20;
/** A packet holds no more (RFC 6716 §3.2.5). */
const MAX_PACKET_MS = 120;
/** Speech is transparent to most ears; FEC takes its part of it. */
const BITRATE = 32_000;
/** What the sender is to be armed against: makes it spend bits on the frame before. */
const EXPECTED_LOSS_PERCENT = 10;
/** Half of the encoder's time of 9 for no audible loss in speech. */
const COMPLEXITY = 5;

export interface OpusDecoder {
  /** Null where the packet is none: it then counts as lost. */
  decode(packet: Buffer): Float32Array | null;
  /** The frame before this packet, from the copy inside it where there is one; else as `conceal`. */
  recover(next: Buffer, ms: number): Float32Array;
  /** Goes on as it sounded, fading. */
  conceal(ms: number): Float32Array;
  free(): void;
}

export interface OpusEncoder {
  /** 20 ms at 24 kHz. Valid until the next call. */
  encode(samples: Float32Array): Uint8Array;
  free(): void;
}

export interface OpusLibrary {
  decoder(): Promise<OpusDecoder>;
  encoder(): Promise<OpusEncoder>;
}

/** Error `webrtc.missing` where the optional library is not installed. */
export async function loadOpus(): Promise<OpusLibrary> {
  const library = await loadLibopus();
  await library.loadLibopus();
  return {
    decoder: async () => decoderOf(await library.createDecoder(DECODER)),
    encoder: async () => encoderOf(await library.createEncoder(encoderOptions(library))),
  };
}

/** Milliseconds of sound in a packet (RFC 6716 §3.1); 0 for what is none. */
export function opusPacketMs(packet: Uint8Array): number {
  if (packet.length === 0) return 0;
  const config = packet[0] >> 3;
  const frameMs =
    config < 12
      ? [10, 20, 40, 60][config & 3]
      : config < 16
        ? [10, 20][config & 1]
        : [2.5, 5, 10, 20][config & 3];
  const code = packet[0] & 3;
  const count = code === 0 ? 1 : code < 3 ? 2 : packet.length > 1 ? packet[1] & 63 : 0;
  const ms = count * frameMs;
  return ms > MAX_PACKET_MS ? 0 : ms;
}

const DECODER = { channels: 1, sampleRate: SESSION_INPUT_RATE_HZ } as const;

function encoderOptions({ Application, Signal }: typeof Library) {
  return {
    channels: 1,
    sampleRate: SESSION_OUTPUT_RATE_HZ,
    frameSize: (SESSION_OUTPUT_RATE_HZ * OPUS_FRAME_MS) / 1000,
    application: Application.Voip,
    signal: Signal.Voice,
    bitrate: BITRATE,
    complexity: COMPLEXITY,
    fec: true,
    packetLossPercent: EXPECTED_LOSS_PERCENT,
  } as const;
}

/** Lengths that concealment can make: multiples of 2.5 ms, and one packet's at most. */
const frameSize = (ms: number) =>
  (Math.max(1, Math.min(MAX_PACKET_MS / 2.5, Math.round(ms / 2.5))) * 2.5 * SESSION_INPUT_RATE_HZ) / 1000;

function decoderOf(decoder: Library.OpusDecoderHandle): OpusDecoder {
  const conceal = (ms: number) => decoder.decodePacketLossFloat(frameSize(ms));
  return {
    decode: packet => attempt(() => decoder.decodeFloat(packet)),
    recover: (next, ms) =>
      attempt(() => decoder.decodeFloat(next, { decodeFec: true, frameSize: frameSize(ms) })) ?? conceal(ms),
    conceal,
    free: () => decoder.free(),
  };
}

function encoderOf(encoder: Library.OpusEncoderHandle): OpusEncoder {
  return { encode: samples => encoder.encodeFloat(samples), free: () => encoder.free() };
}

function attempt<T>(decode: () => T): T | null {
  try {
    return decode();
  } catch {
    return null;
  }
}
