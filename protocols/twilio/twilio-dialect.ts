/** Twilio Media Streams, bidirectional (docs/spec/protocols.md §2). */
import { bytesOfBase64, type MediaFormat } from '../media/index.ts';
import {
  badFrame,
  type CallStart,
  type CarrierEvent,
  type Dialect,
  type LinePace,
  type PhoneLine,
  readJson,
} from '../telephone/index.ts';
import { type TwilioMessage, twilioMessage } from './messages.ts';

const FORMAT: MediaFormat = { codec: 'mu-law', rateHz: 8000 };
/** Frames may be of any length; 20 ms is what comes the other way. */
const TWILIO_PACE: LinePace = { frameMs: 20, leadMs: 200, latencyMs: 100 };

export class TwilioDialect implements Dialect {
  readonly carrier = 'twilio';
  readonly pace = TWILIO_PACE;
  #streamSid = '';

  text(text: string): CarrierEvent {
    const message = readJson(twilioMessage, text);
    switch (message.event) {
      case 'connected':
        return { type: 'other' };
      case 'start':
        this.#streamSid = message.streamSid;
        return { type: 'start', start: startOf(message) };
      case 'media':
        return mediaOf(message.media);
      case 'dtmf':
        return { type: 'key', key: message.dtmf.digit };
      case 'mark':
        return { type: 'mark', name: message.mark.name };
      case 'stop':
        return { type: 'stop', reason: 'the stream was stopped' };
    }
  }

  line(_start: CallStart, send: (frame: string) => void, close: (reason: string) => void): PhoneLine {
    const streamSid = this.#streamSid;
    const tell = (event: string, fields: object = {}) =>
      send(JSON.stringify({ event, streamSid, ...fields }));
    return {
      format: FORMAT,
      play: frame => tell('media', { media: { payload: frame.toString('base64') } }),
      mark: name => tell('mark', { mark: { name } }),
      clear: () => tell('clear'),
      // Closing ends the stream; the call goes on with what TwiML comes next, which after <Connect> is nothing.
      hangUp: close,
    };
  }
}

function startOf({ start }: Extract<TwilioMessage, { event: 'start' }>): CallStart {
  const { accountSid = '', callSid, customParameters } = start;
  return { callId: callSid, format: FORMAT, parameters: { ...customParameters, accountSid } };
}

function mediaOf(media: Extract<TwilioMessage, { event: 'media' }>['media']): CarrierEvent {
  // Of a one-way fork: that is ourselves.
  if (media.track === 'outbound') return { type: 'other' };
  const payload = bytesOfBase64(media.payload);
  if (!payload) throw badFrame('The payload is no base64.');
  return { type: 'media', sequence: media.chunk, mediaMs: media.timestamp, payload };
}
