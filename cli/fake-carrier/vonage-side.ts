/** Vonage's side of its WebSocket, as docs/spec/protocols.md §3 has it. */
import { bytesOfMs, type MediaFormat } from '../../protocols/media/index.ts';
import type { CarrierSide, Frame, Ordered } from './side.ts';

const FRAME_MS = 20;

export class VonageSide implements CarrierSide {
  readonly carrier = 'vonage';
  readonly format: MediaFormat;
  readonly tellsClearedMarks = false;

  constructor(rateHz: 8000 | 16_000 | 24_000 = 16_000) {
    this.format = { codec: 'pcm16', rateHz };
  }

  opening(): Frame[] {
    const type = `audio/l16;rate=${this.format.rateHz}`;
    const headers = { from: '15005550006', to: '15005550001' };
    return [JSON.stringify({ event: 'websocket:connected', 'content-type': type, ...headers })];
  }

  media(payload: Buffer): Frame {
    return payload;
  }

  key(digit: string): Frame {
    return JSON.stringify({ event: 'websocket:dtmf', digit, duration: 260 });
  }

  /** It has none; a frame that means nothing. */
  marked(): Frame {
    return JSON.stringify({ event: 'websocket:notify' });
  }

  cleared(): Frame {
    return JSON.stringify({ event: 'websocket:cleared' });
  }

  closing(): null {
    return null;
  }

  read(frame: Frame): Ordered {
    if (typeof frame === 'string') {
      const { action } = JSON.parse(frame);
      if (action === 'clear') return { type: 'clear' };
      throw new Error(`Vonage knows no ${action}.`);
    }
    if (frame.length !== bytesOfMs(this.format, FRAME_MS))
      throw new Error(`Vonage takes 20 ms a frame, not ${frame.length} bytes.`);
    return { type: 'play', payload: Buffer.from(frame) };
  }
}
