/** Asterisk's side of chan_websocket, as docs/spec/protocols.md §5 has it. */
import type { MediaFormat } from '../../protocols/media/index.ts';
import type { CarrierSide, Frame, Ordered } from './side.ts';

/** A longer command is cut there. */
const MAX_COMMAND_BYTES = 128;
const COMMANDS = ['FLUSH_MEDIA', 'HANGUP', 'ANSWER', 'MARK_MEDIA', 'GET_STATUS', 'REPORT_QUEUE_DRAINED'];

export class AsteriskSide implements CarrierSide {
  readonly carrier = 'asterisk';
  readonly format: MediaFormat;
  readonly tellsClearedMarks = false;
  readonly #isJson: boolean;
  readonly #name: string;

  constructor(form: 'plain-text' | 'json' = 'plain-text', name: 'ulaw' | 'alaw' | 'slin16' = 'ulaw') {
    this.#isJson = form === 'json';
    this.#name = name;
    const codec = name === 'ulaw' ? 'mu-law' : name === 'alaw' ? 'a-law' : 'pcm16';
    this.format = { codec, rateHz: name === 'slin16' ? 16_000 : 8000 };
  }

  opening(): Frame[] {
    const optimal_frame_size = this.#name === 'slin16' ? 640 : 160;
    const ids = { connection_id: 'media_1', channel: 'WebSocket/fake/0x1', channel_id: '1761245643.1' };
    return [this.#event('MEDIA_START', { ...ids, format: this.#name, optimal_frame_size, ptime: 20 })];
  }

  media(payload: Buffer): Frame {
    return payload;
  }

  key(digit: string): Frame {
    return this.#event('DTMF_END', { digit });
  }

  marked(name: string): Frame {
    return this.#event('MEDIA_MARK_PROCESSED', { correlation_id: name });
  }

  closing(): null {
    return null;
  }

  read(frame: Frame): Ordered {
    if (typeof frame !== 'string') return { type: 'play', payload: Buffer.from(frame) };
    if (Buffer.byteLength(frame) > MAX_COMMAND_BYTES)
      throw new Error(`${frame} is longer than Asterisk takes.`);
    const [command, argument] = this.#isJson ? jsonCommand(frame) : frame.split(' ');
    if (!COMMANDS.includes(command)) throw new Error(`Asterisk knows no ${command}.`);
    if (command === 'MARK_MEDIA') return { type: 'mark', name: argument ?? '' };
    if (command === 'FLUSH_MEDIA') return { type: 'clear' };
    return { type: command === 'HANGUP' ? 'hang-up' : 'other' };
  }

  #event(event: string, fields: Readonly<Record<string, string | number>>): string {
    if (this.#isJson) return JSON.stringify({ event, ...fields });
    return [event, ...Object.entries(fields).map(([name, value]) => `${name}:${value}`)].join(' ');
  }
}

function jsonCommand(frame: string): [string, string | undefined] {
  const { command, correlation_id } = JSON.parse(frame);
  return [command, correlation_id];
}
