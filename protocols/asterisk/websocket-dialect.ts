/**
 * Asterisk's chan_websocket, Asterisk being the client: sound in binary frames, control in text
 * (docs/spec/protocols.md §5).
 */
import { bytesOfMs, CODECS, type MediaFormat } from '../media/index.ts';
import {
  badFrame,
  type CallStart,
  type CarrierEvent,
  type Dialect,
  type LinePace,
  type PhoneLine,
} from '../telephone/index.ts';
import { type ControlEvent, type ControlForm, readControl, writeCommand } from './control.ts';

const FRAME_MS = 20;
const ASTERISK_PACE: LinePace = { frameMs: FRAME_MS, leadMs: 100, latencyMs: 40 };

const FORMATS: Readonly<Record<string, MediaFormat>> = {
  ulaw: { codec: 'mu-law', rateHz: 8000 },
  alaw: { codec: 'a-law', rateHz: 8000 },
  slin: { codec: 'pcm16', rateHz: 8000 },
  slin16: { codec: 'pcm16', rateHz: 16_000 },
  slin24: { codec: 'pcm16', rateHz: 24_000 },
  slin48: { codec: 'pcm16', rateHz: 48_000 },
};

/** Frames kept while Asterisk says stop; it is the pace that keeps them few. */
const MAX_HELD_FRAMES = 250;

export class AsteriskDialect implements Dialect {
  readonly carrier = 'asterisk';
  readonly pace = ASTERISK_PACE;
  #form: ControlForm = 'plain-text';
  #bytesPerSample = 1;
  #queue: FrameQueue | null = null;

  get farewell(): string {
    return writeCommand(this.#form, 'HANGUP');
  }

  text(text: string): CarrierEvent {
    const control = readControl(text);
    const { event, fields } = control;
    if (event === 'MEDIA_START') return { type: 'start', start: this.#start(control) };
    if (event === 'DTMF_END') return { type: 'key', key: fields.digit ?? fields[''] ?? '' };
    if (event === 'MEDIA_MARK_PROCESSED')
      return { type: 'mark', name: fields.correlation_id ?? fields[''] ?? '' };
    if (event === 'MEDIA_XOFF') this.#queue?.stop();
    else if (event === 'MEDIA_XON') this.#queue?.goOn();
    return { type: 'other' };
  }

  binary(payload: Buffer): CarrierEvent {
    if (payload.length % this.#bytesPerSample !== 0) throw badFrame('The bytes are no whole samples.');
    return { type: 'media', sequence: null, mediaMs: null, payload };
  }

  line(
    start: CallStart,
    send: (frame: string | Uint8Array) => void,
    close: (reason: string) => void,
  ): PhoneLine {
    const form = this.#form;
    const queue = new FrameQueue(send);
    this.#queue = queue;
    return {
      format: start.format,
      play: frame => queue.send(frame),
      mark: name => queue.send(writeCommand(form, 'MARK_MEDIA', name)),
      clear: () => {
        queue.drop();
        // It forgets the marks that wait, and says nothing of them: the speaker has closed them.
        send(writeCommand(form, 'FLUSH_MEDIA'));
      },
      hangUp: close,
    };
  }

  #start({ form, fields }: ControlEvent): CallStart {
    const format = FORMATS[fields.format ?? ''];
    if (!format)
      throw badFrame(
        `Sound in ${fields.format} is not spoken here: dial with c(ulaw), c(alaw) or c(slin16).`,
      );
    const frameBytes = Number(fields.optimal_frame_size ?? bytesOfMs(format, FRAME_MS));
    // What does not fill a frame is thrown away there; other frame lengths than 20 ms would have to be cut otherwise.
    if (frameBytes !== bytesOfMs(format, FRAME_MS))
      throw badFrame(`Frames of ${frameBytes} bytes are not 20 ms.`);
    this.#form = form;
    this.#bytesPerSample = CODECS[format.codec].bytesPerSample;
    return { callId: fields.channel_id ?? fields.connection_id ?? '', format, parameters: fields };
  }
}

/** Frames on their way, and their marks, as long as Asterisk takes them. */
class FrameQueue {
  readonly #send: (frame: string | Uint8Array) => void;
  #held: (string | Uint8Array)[] | null = null;

  constructor(send: (frame: string | Uint8Array) => void) {
    this.#send = send;
  }

  send(frame: string | Uint8Array): void {
    if (this.#held === null) this.#send(frame);
    else if (this.#held.length < MAX_HELD_FRAMES) this.#held.push(frame);
  }

  stop(): void {
    this.#held ??= [];
  }

  goOn(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const frame of held) this.#send(frame);
  }

  drop(): void {
    if (this.#held) this.#held = [];
  }
}
