/**
 * Asterisk's AudioSocket: sound, keys and an id in binary frames; no marks and no clear, so the pace is all
 * (docs/spec/protocols.md §4).
 */
import type { MediaFormat } from '../media/index.ts';
import {
  badFrame,
  type CallStart,
  type CarrierEvent,
  type Dialect,
  type LinePace,
  type PhoneLine,
} from '../telephone/index.ts';
import { audioSocketFrame, HEADER_BYTES, KIND, RATES_HZ } from './audio-socket-frames.ts';

/** What has been written cannot be taken back. */
const AUDIO_SOCKET_PACE: LinePace = { frameMs: 20, leadMs: 40, latencyMs: 40 };
/** Other rates are no whole multiple of what a resampler here does well, and no telephone has them. */
const SPOKEN_RATES_HZ: ReadonlySet<number> = new Set([8000, 16_000, 24_000, 48_000]);
const UUID_BYTES = 16;

export class AudioSocketDialect implements Dialect {
  readonly carrier = 'audiosocket';
  readonly pace = AUDIO_SOCKET_PACE;
  readonly farewell = audioSocketFrame(KIND.hangUp);
  #uuid: string | null = null;
  /** Of the sound, once it came: the call begins with it, for nothing else says its rate. */
  #kind: number | null = null;

  text(): never {
    throw badFrame('AudioSocket has no text.');
  }

  binary(frame: Buffer): CarrierEvent {
    const kind = frame[0];
    const payload = frame.subarray(HEADER_BYTES);
    if (kind === KIND.uuid) return this.#identify(payload);
    if (kind === KIND.hangUp) return { type: 'stop', reason: 'Asterisk hung up' };
    if (kind === KIND.error)
      return { type: 'stop', reason: `Asterisk reports error ${payload.toString('hex') || '0'}` };
    if (kind === KIND.key) return { type: 'key', key: payload.toString('latin1') };
    const rateHz = RATES_HZ[kind];
    if (rateHz === undefined) throw badFrame(`There is no kind ${kind}.`);
    return this.#sound(kind, rateHz, payload);
  }

  line(start: CallStart, send: (frame: Uint8Array) => void, close: (reason: string) => void): PhoneLine {
    const kind = this.#kind!;
    return { format: start.format, play: frame => send(audioSocketFrame(kind, frame)), hangUp: close };
  }

  #identify(payload: Buffer): CarrierEvent {
    if (payload.length !== UUID_BYTES || this.#uuid !== null)
      throw badFrame('An id of 16 bytes comes first, and once.');
    const hex = payload.toString('hex');
    this.#uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    return { type: 'other' };
  }

  #sound(kind: number, rateHz: number, payload: Buffer): CarrierEvent {
    if (this.#uuid === null) throw badFrame('Sound before the id.');
    if (!SPOKEN_RATES_HZ.has(rateHz)) throw badFrame(`Sound of ${rateHz} Hz is not spoken here.`);
    if (payload.length % 2 !== 0) throw badFrame('The bytes are no whole samples.');
    const media = { type: 'media', sequence: null, mediaMs: null, payload } as const;
    if (this.#kind === kind) return media;
    if (this.#kind !== null) throw badFrame('The rate of a call does not change.');
    this.#kind = kind;
    const format: MediaFormat = { codec: 'pcm16', rateHz };
    return { type: 'start', start: { callId: this.#uuid, format, parameters: {} }, first: media };
  }
}
