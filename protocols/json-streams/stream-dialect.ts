/** Telnyx media streaming and Exotel's Voicebot (docs/spec/protocols.md §3). Telnyx's frames may come out of order. */
import { bytesOfBase64, CODECS, type MediaFormat } from '../media/index.ts';
import {
  badFrame,
  type CallStart,
  type CarrierEvent,
  type Dialect,
  type LinePace,
  type PhoneLine,
  readJson,
} from '../telephone/index.ts';
import type { StreamCarrier } from './carriers.ts';
import { type StreamMessage, streamMessage } from './messages.ts';

const RATES_HZ: ReadonlySet<number> = new Set([8000, 16_000, 24_000]);

export class StreamDialect implements Dialect {
  readonly carrier: string;
  readonly pace: LinePace;
  readonly #carrier: StreamCarrier;
  #streamId = '';
  #bytesPerSample = 1;

  constructor(carrier: StreamCarrier) {
    this.#carrier = carrier;
    this.carrier = carrier.carrier;
    this.pace = carrier.pace;
  }

  text(text: string): CarrierEvent {
    const message = readJson(streamMessage, text);
    switch (message.event) {
      case 'start':
        return { type: 'start', start: this.#start(message) };
      case 'media':
        return this.#media(message.media);
      case 'dtmf':
        return { type: 'key', key: message.dtmf.digit };
      case 'mark':
        return { type: 'mark', name: message.mark.name };
      case 'stop':
        return { type: 'stop', reason: 'the stream was stopped' };
      default:
        return { type: 'other' };
    }
  }

  line(start: CallStart, send: (frame: string) => void, close: (reason: string) => void): PhoneLine {
    const { idField } = this.#carrier;
    const address = idField === null ? {} : { [idField]: this.#streamId };
    const tell = (event: string, fields: object = {}) =>
      send(JSON.stringify({ event, ...address, ...fields }));
    return {
      format: start.format,
      play: frame => tell('media', { media: { payload: frame.toString('base64') } }),
      mark: name => tell('mark', { mark: { name } }),
      clear: () => tell('clear'),
      hangUp: close,
    };
  }

  #start(message: Extract<StreamMessage, { event: 'start' }>): CallStart {
    const { call_control_id, call_sid, custom_parameters, from, to, media_format } = message.start;
    const codec = this.#carrier.codecs[media_format.encoding];
    if (codec === undefined || !RATES_HZ.has(media_format.sample_rate)) {
      const offered = `${media_format.encoding} at ${media_format.sample_rate} Hz`;
      throw badFrame(`Sound in ${offered} is not spoken here. ${this.#carrier.remedy}`);
    }
    this.#streamId = message.stream_sid ?? message.stream_id ?? '';
    this.#bytesPerSample = CODECS[codec].bytesPerSample;
    const format: MediaFormat = { codec, rateHz: media_format.sample_rate };
    const numbers = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
    const parameters = { ...custom_parameters, ...numbers };
    return { callId: call_control_id ?? call_sid ?? '', format, parameters };
  }

  #media(media: Extract<StreamMessage, { event: 'media' }>['media']): CarrierEvent {
    // Of a fork of both sides: that is ourselves.
    if (media.track.startsWith('outbound')) return { type: 'other' };
    const payload = bytesOfBase64(media.payload);
    if (!payload || payload.length % this.#bytesPerSample !== 0)
      throw badFrame('The payload is no whole samples in base64.');
    return { type: 'media', sequence: media.chunk, mediaMs: media.timestamp, payload };
  }
}
