/** Asterisk's side of AudioSocket, as docs/spec/protocols.md §4 has it. */
import { audioSocketFrame, HEADER_BYTES, KIND } from '../../protocols/asterisk/audio-socket-frames.ts';
import type { CarrierSide, Frame, Ordered } from './side.ts';

const SOUND_8_KHZ = 0x10;

export class AudioSocketSide implements CarrierSide {
  readonly carrier = 'audiosocket';
  readonly format = { codec: 'pcm16', rateHz: 8000 } as const;
  readonly tellsClearedMarks = false;
  readonly #uuid: string;

  /** With hyphens or without. */
  constructor(uuid: string) {
    this.#uuid = uuid;
  }

  opening(): Frame[] {
    return [audioSocketFrame(KIND.uuid, Buffer.from(this.#uuid.replaceAll('-', ''), 'hex'))];
  }

  media(payload: Buffer): Frame {
    return audioSocketFrame(SOUND_8_KHZ, payload);
  }

  key(digit: string): Frame {
    return audioSocketFrame(KIND.key, Buffer.from(digit, 'latin1'));
  }

  marked(): never {
    throw new Error('AudioSocket has no marks.');
  }

  closing(): null {
    return null;
  }

  /** Anything but sound and the end is the end of the call leg there. */
  read(frame: Frame): Ordered {
    const bytes = Buffer.from(frame as Uint8Array);
    const payload = bytes.subarray(HEADER_BYTES);
    if (bytes[0] === KIND.hangUp) return { type: 'hang-up' };
    if (bytes[0] !== SOUND_8_KHZ) throw new Error(`Asterisk takes no frame of kind ${bytes[0]}.`);
    if (payload.length < 1) throw new Error('Asterisk takes no sound without bytes.');
    if (payload.length !== bytes.readUInt16BE(1)) throw new Error('The length is wrong.');
    return { type: 'play', payload };
  }
}
