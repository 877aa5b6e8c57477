/** Plivo's side of its audio streams, as docs/spec/protocols.md §3 has it. */
import type { MediaFormat } from '../../protocols/media/index.ts';
import type { CarrierSide, Frame, Ordered } from './side.ts';

const FRAME_MS = 20;
/** A time of the day, as Plivo's packets have it. */
const FIRST_MS = 1_705_312_200_000;
const STREAM = '87654321-4321-4321-4321-cba987654321';

export class PlivoSide implements CarrierSide {
  readonly carrier = 'plivo';
  readonly format: MediaFormat;
  readonly tellsClearedMarks = false;
  readonly #type: string;
  #sequence = 0;
  #chunk = 0;

  constructor(codec: 'mu-law' | 'pcm16' = 'mu-law', rateHz: 8000 | 16_000 = 8000) {
    this.format = { codec, rateHz };
    this.#type = codec === 'mu-law' ? 'audio/x-mulaw' : 'audio/x-l16';
  }

  opening(): Frame[] {
    const ids = { callId: '12345678-1234-1234-1234-123456789abc', streamId: STREAM, accountId: 'MA1' };
    const mediaFormat = { encoding: this.#type, sampleRate: this.format.rateHz };
    const start = { ...ids, tracks: ['inbound'], mediaFormat };
    return [this.#event('start', { start, extra_headers: 'from=15005550006;to=15005550001' })];
  }

  media(payload: Buffer): Frame {
    const timestamp = String(FIRST_MS + this.#chunk * FRAME_MS);
    const media = {
      track: 'inbound',
      timestamp,
      chunk: ++this.#chunk,
      payload: payload.toString('base64'),
    };
    return this.#event('media', { streamId: STREAM, media });
  }

  key(digit: string): Frame {
    return this.#event('dtmf', { streamId: STREAM, dtmf: { track: 'inbound', digit } });
  }

  marked(name: string): Frame {
    return this.#event('playedStream', { streamId: STREAM, name });
  }

  cleared(): Frame {
    return this.#event('clearedAudio', { streamId: STREAM });
  }

  closing(): null {
    return null;
  }

  read(frame: Frame): Ordered {
    const { event, media, name, streamId } = JSON.parse(String(frame));
    if (streamId !== STREAM) throw new Error(`The stream is not ${streamId}.`);
    if (event === 'checkpoint') return { type: 'mark', name };
    if (event === 'clearAudio') return { type: 'clear' };
    if (event !== 'playAudio') throw new Error(`Plivo knows no ${event}.`);
    if (media.contentType !== this.#type || media.sampleRate !== this.format.rateHz)
      throw new Error(`The call is not in ${media.contentType} at ${media.sampleRate} Hz.`);
    return { type: 'play', payload: Buffer.from(media.payload, 'base64') };
  }

  #event(event: string, fields: object): string {
    return JSON.stringify({ event, sequenceNumber: ++this.#sequence, ...fields });
  }
}
