/**
 * Plivo's audio streams, bidirectional (docs/spec/protocols.md §3): a checkpoint is its mark, `playedStream` the answer
 * to it.
 */
import { bytesOfBase64, type CodecName, CODECS, type MediaFormat } from '../media/index.ts';
import {
  badFrame,
  type CallStart,
  type CarrierEvent,
  type Dialect,
  type LinePace,
  type PhoneLine,
  readJson,
} from '../telephone/index.ts';
import { type PlivoMessage, plivoMessage } from './messages.ts';

const PLIVO_PACE: LinePace = { frameMs: 20, leadMs: 200, latencyMs: 100 };
const TYPES: Readonly<Record<string, CodecName>> = { 'audio/x-mulaw': 'mu-law', 'audio/x-l16': 'pcm16' };
const RATES_HZ: ReadonlySet<number> = new Set([8000, 16_000]);

export class PlivoDialect implements Dialect {
  readonly carrier = 'plivo';
  readonly pace = PLIVO_PACE;
  #streamId = '';
  #contentType = 'audio/x-mulaw';
  #bytesPerSample = 1;
  /** Of the first packet: its times are of the day, not of the stream. */
  #firstMs: number | null = null;

  text(text: string): CarrierEvent {
    const message = readJson(plivoMessage, text);
    switch (message.event) {
      case 'start':
        return { type: 'start', start: this.#start(message) };
      case 'media':
        return this.#media(message.media);
      case 'dtmf':
        return { type: 'key', key: message.dtmf.digit };
      case 'playedStream':
        return { type: 'mark', name: message.name };
      case 'clearedAudio':
        return { type: 'other' };
      case 'stop':
        return { type: 'stop', reason: 'the stream was stopped' };
    }
  }

  line(start: CallStart, send: (frame: string) => void, close: (reason: string) => void): PhoneLine {
    const streamId = this.#streamId;
    const media = { contentType: this.#contentType, sampleRate: start.format.rateHz };
    const tell = (event: string, fields: object = {}) => send(JSON.stringify({ event, streamId, ...fields }));
    return {
      format: start.format,
      play: frame => tell('playAudio', { media: { ...media, payload: frame.toString('base64') } }),
      mark: name => tell('checkpoint', { name }),
      clear: () => tell('clearAudio'),
      // The stream ends with the connection, and the call with the stream where nothing follows it.
      hangUp: close,
    };
  }

  #start({ start, extra_headers }: Extract<PlivoMessage, { event: 'start' }>): CallStart {
    const { callId = '', mediaFormat, streamId } = start;
    const { encoding, sampleRate } = mediaFormat;
    const codec = TYPES[encoding];
    const format: MediaFormat = { codec, rateHz: sampleRate };
    if (codec === undefined || !RATES_HZ.has(sampleRate) || (codec === 'mu-law' && sampleRate !== 8000))
      throw badFrame(
        `Sound in ${encoding} at ${sampleRate} Hz is not spoken here: stream audio/x-mulaw;rate=8000.`,
      );
    this.#streamId = streamId;
    this.#contentType = encoding;
    this.#bytesPerSample = CODECS[codec].bytesPerSample;
    return { callId, format, parameters: parametersOf(extra_headers ?? '') };
  }

  #media(media: Extract<PlivoMessage, { event: 'media' }>['media']): CarrierEvent {
    // Of a fork of both sides: that is ourselves.
    if (media.track === 'outbound') return { type: 'other' };
    const payload = bytesOfBase64(media.payload);
    if (!payload || payload.length % this.#bytesPerSample !== 0)
      throw badFrame('The payload is no whole samples in base64.');
    const timestamp = media.timestamp ?? null;
    if (timestamp !== null) this.#firstMs ??= timestamp;
    const mediaMs = timestamp === null ? null : timestamp - this.#firstMs!;
    return { type: 'media', sequence: media.chunk ?? null, mediaMs, payload };
  }
}

/** `name=value`, separated by commas or semicolons. */
function parametersOf(headers: string): Record<string, string> {
  const pairs = headers.split(/[,;]/).map(pair => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const;
  });
  return Object.fromEntries(pairs.filter(([name]) => name !== ''));
}
