/** Telnyx's and Exotel's side of their media streams, as docs/spec/protocols.md §3 has it. */
import type { MediaFormat } from '../../protocols/media/index.ts';
import type { CarrierSide, Frame, Ordered } from './side.ts';

const FRAME_MS = 20;

export class StreamSide implements CarrierSide {
  readonly carrier: 'telnyx' | 'exotel';
  readonly format: MediaFormat;
  readonly tellsClearedMarks = false;
  #sequence = 0;
  #chunk = 0;

  constructor(carrier: 'telnyx' | 'exotel') {
    this.carrier = carrier;
    this.format = { codec: carrier === 'telnyx' ? 'mu-law' : 'pcm16', rateHz: 8000 };
  }

  opening(): Frame[] {
    const [from, to] = ['+15005550006', '+15005550001'];
    const telnyx = {
      ...{ user_id: 'u1', call_control_id: 'v3:call', from, to },
      media_format: { encoding: 'PCMU', sample_rate: 8000, channels: 1 },
    };
    const exotel = {
      ...{ stream_sid: 'st1', call_sid: 'ca1', account_sid: 'ac1', from, to, custom_parameters: {} },
      media_format: { encoding: 'base64', sample_rate: '8000', bit_rate: '128kbps' },
    };
    const start = this.carrier === 'telnyx' ? telnyx : exotel;
    return [JSON.stringify({ event: 'connected', version: '1.0.0' }), this.#event('start', { start })];
  }

  media(payload: Buffer): Frame {
    const timestamp = String(this.#chunk * FRAME_MS);
    const chunk = String(++this.#chunk);
    return this.#event('media', {
      media: { track: 'inbound', chunk, timestamp, payload: payload.toString('base64') },
    });
  }

  key(digit: string): Frame {
    return this.#event('dtmf', { dtmf: { digit } });
  }

  marked(name: string): Frame {
    return this.#event('mark', { mark: { name } });
  }

  closing(): Frame {
    return this.#event('stop', { stop: {} });
  }

  read(frame: Frame): Ordered {
    const { event, media, mark, stream_sid } = JSON.parse(String(frame));
    if (this.carrier === 'exotel' && stream_sid !== 'st1')
      throw new Error(`The stream is not ${stream_sid}.`);
    if (event === 'media') return { type: 'play', payload: this.#payload(media.payload) };
    if (event === 'mark') return { type: 'mark', name: mark.name };
    if (event === 'clear') return { type: 'clear' };
    throw new Error(`${this.carrier} knows no ${event}.`);
  }

  /** Telnyx takes 20 ms to 30 s, Exotel multiples of 320 bytes. */
  #payload(base64: string): Buffer {
    const payload = Buffer.from(base64, 'base64');
    const isTaken =
      this.carrier === 'telnyx'
        ? payload.length >= 160 && payload.length <= 240_000
        : payload.length % 320 === 0;
    if (!isTaken) throw new Error(`${this.carrier} takes no sound of ${payload.length} bytes.`);
    return payload;
  }

  #event(event: string, fields: object): string {
    const id = this.carrier === 'telnyx' ? { stream_id: 'st1' } : { stream_sid: 'st1' };
    return JSON.stringify({ event, sequence_number: String(++this.#sequence), ...id, ...fields });
  }
}
