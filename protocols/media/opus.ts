/** Opus (RFC 6716) at the session's rates: 16 kHz in, 24 kHz out, mono. A stereo packet is mixed by the decoder. */
import type * as Library from 'libopus-wasm';
import { SESSION_INPUT_RATE_HZ, SESSION_OUTPUT_RATE_HZ } from './streams.ts';

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
/** What the encoder is bounded to. */
const BITRATES = { least: 6000, most: BITRATE };
/** As libopus names it (`OPUS_SET_PREDICTION_DISABLED_REQUEST`): the next packet leans on none before it. */
const SET_PREDICTION_DISABLED = 4042;
/**
 * 20 ms of silence for any decoder (RFC 6716 §3.1: CELT, full band, mono, one frame). It forgets what it heard before.
 */
export const OPUS_SILENCE: Buffer = Buffer.from([0xf8, 0xff, 0xfe]);
/** Longer concealment is a drone. */
const MAX_CONCEALED_MS = 120;

export interface OpusDecoder {
  /** Null where the packet is none: it then counts as lost. */
  decode(packet: Buffer): Float32Array | null;
  /** The frame before this packet, from the copy inside it where there is one; else as `conceal`. */
  recover(next: Buffer, ms: number): Float32Array;
  /** Goes on as it sounded, fading. */
  conceal(ms: number): Float32Array;
  free(): void;
}

/** What a far decoder asks for (RFC 7587 §6.1). */
export interface OpusWishes {
  /** Bits a second, at most; null: it does not say. */
  readonly maxBitrate: number | null;
  /** It takes the copy of the frame before. */
  readonly fec: boolean;
  /** It plays no more. */
  readonly maxPlaybackHz: number;
  readonly constantBitrate: boolean;
}

export interface OpusEncoder {
  /** 20 ms at 24 kHz. `isFirst`: the decoder has just heard `OPUS_SILENCE`. Valid until the next call. */
  encode(samples: Float32Array, isFirst?: boolean): Uint8Array;
  free(): void;
}

/** One whose far end may change its mind. */
export interface TunableOpusEncoder extends OpusEncoder {
  use(wishes: OpusWishes): void;
}

export interface OpusLibrary {
  decoder(): Promise<OpusDecoder>;
  encoder(): Promise<OpusEncoder>;
}

export interface TunableOpusLibrary extends OpusLibrary {
  encoder(): Promise<TunableOpusEncoder>;
}

/** `load` brings the library, which is optional, and fails as it likes where it is not installed. */
export async function loadOpus(
  load: () => Promise<typeof Library> = () => import('libopus-wasm'),
): Promise<TunableOpusLibrary> {
  const library = await load();
  await library.loadLibopus();
  return {
    decoder: async () => decoderOf(await library.createDecoder(DECODER)),
    encoder: async () => encoderOf(await library.createEncoder(encoderOptions(library)), library),
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

function encoderOf(encoder: Library.OpusEncoderHandle, { Bandwidth }: typeof Library): TunableOpusEncoder {
  const bandwidths = [
    [8000, Bandwidth.Narrowband],
    [12_000, Bandwidth.Mediumband],
    [16_000, Bandwidth.Wideband],
  ] as const;
  let leansOn = true;
  const predict = (isOn: boolean) => {
    if (isOn !== leansOn) encoder.encoderCtl(SET_PREDICTION_DISABLED, isOn ? 0 : 1);
    leansOn = isOn;
  };
  return {
    encode(samples, isFirst = false) {
      predict(!isFirst);
      return encoder.encodeFloat(samples);
    },
    use({ constantBitrate, fec, maxBitrate, maxPlaybackHz }) {
      encoder.setBitrate(Math.max(BITRATES.least, Math.min(BITRATES.most, maxBitrate ?? BITRATES.most)));
      encoder.setFec(fec);
      encoder.setVbr(!constantBitrate);
      const [, bandwidth] = bandwidths.find(([hz]) => maxPlaybackHz <= hz) ?? [];
      encoder.setMaxBandwidth(bandwidth ?? Bandwidth.Superwideband);
    },
    free: () => encoder.free(),
  };
}

/**
 * A hole's sound: first silence, of what would be a drone, then pieces. `lost`: made up, nothing may be learnt from it.
 */
export interface FilledHole {
  readonly silentMs: number;
  readonly pieces: readonly { readonly samples: Float32Array; readonly lost: boolean }[];
}

/** The last of a hole may stand in the packet behind it; the rest is made up. */
export function lostOpus(decoder: OpusDecoder, ms: number, next: Buffer | null): FilledHole {
  const recoveredMs = next ? Math.min(ms, OPUS_FRAME_MS) : 0;
  const concealedMs = Math.min(ms - recoveredMs, MAX_CONCEALED_MS);
  const pieces: { samples: Float32Array; lost: boolean }[] = [];
  for (let left = concealedMs; left >= 2.5; left -= OPUS_FRAME_MS)
    pieces.push({ samples: decoder.conceal(Math.min(left, OPUS_FRAME_MS)), lost: true });
  if (next && recoveredMs > 0) pieces.push({ samples: decoder.recover(next, recoveredMs), lost: false });
  return { silentMs: ms - recoveredMs - concealedMs, pieces };
}

function attempt<T>(decode: () => T): T | null {
  try {
    return decode();
  } catch {
    return null;
  }
}
