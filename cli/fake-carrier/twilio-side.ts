/** Twilio's side of Media Streams, as docs/spec/protocols.md §2 has it. */
import type { CarrierSide, Frame, Ordered } from './side.ts';

const FRAME_MS = 20;

export interface TwilioSideOptions {
  readonly streamSid: string;
  readonly callSid: string;
  readonly accountSid: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export class TwilioSide implements CarrierSide {
  readonly carrier = 'twilio';
  readonly format = { codec: 'mu-law', rateHz: 8000 } as const;
  readonly tellsClearedMarks = true;
  readonly #options: TwilioSideOptions;
  #sequence = 0;
  #chunk = 0;

  constructor(options: TwilioSideOptions) {
    this.#options = options;
  }

  opening(): Frame[] {
    const { accountSid, callSid, streamSid, parameters } = this.#options;
    const mediaFormat = { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 };
    const start = {
      streamSid,
      accountSid,
      callSid,
      tracks: ['inbound'],
      customParameters: parameters,
      mediaFormat,
    };
    return [
      JSON.stringify({ event: 'connected', protocol: 'Call', version: '1.0.0' }),
      this.#event('start', { start }),
    ];
  }

  media(payload: Buffer): Frame {
    const timestamp = String(this.#chunk * FRAME_MS);
    const chunk = String(++this.#chunk);
    return this.#event('media', {
      media: { track: 'inbound', chunk, timestamp, payload: payload.toString('base64') },
    });
  }

  key(digit: string): Frame {
    return this.#event('dtmf', { dtmf: { track: 'inbound_track', digit } });
  }

  marked(name: string): Frame {
    return this.#event('mark', { mark: { name } });
  }

  closing(): Frame {
    const { accountSid, callSid } = this.#options;
    return this.#event('stop', { stop: { accountSid, callSid } });
  }

  read(frame: Frame): Ordered {
    const { event, streamSid, media, mark } = JSON.parse(String(frame));
    if (streamSid !== this.#options.streamSid) throw new Error(`The stream is not ${streamSid}.`);
    if (event === 'media') return { type: 'play', payload: Buffer.from(media.payload, 'base64') };
    if (event === 'mark') return { type: 'mark', name: mark.name };
    if (event === 'clear') return { type: 'clear' };
    throw new Error(`Twilio knows no ${event}.`);
  }

  #event(event: string, fields: object): string {
    const sequenceNumber = String(++this.#sequence);
    return JSON.stringify({ event, sequenceNumber, streamSid: this.#options.streamSid, ...fields });
  }
}
