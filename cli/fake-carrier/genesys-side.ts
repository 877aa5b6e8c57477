/** Genesys's side of AudioHook, as docs/spec/protocols.md §3 has it. */
import { randomUUID } from 'node:crypto';
import { genesysSignature } from '../../protocols/genesys/signature.ts';
import type { CarrierSide, Frame, Ordered } from './side.ts';

const SAMPLES_PER_S = 8000;
/** Frames that are shorter come too often. */
const MIN_FRAME_BYTES = 800;
const MEDIA = (channels: readonly string[]) => ({
  type: 'audio',
  format: 'PCMU',
  channels,
  rate: SAMPLES_PER_S,
});

export class GenesysSide implements CarrierSide {
  readonly carrier = 'genesys';
  readonly format = { codec: 'mu-law', rateHz: SAMPLES_PER_S } as const;
  readonly tellsClearedMarks = false;
  readonly #id = randomUUID();
  readonly #isStereo: boolean;
  #sequence = 0;
  #serverSequence = 0;
  #samples = 0;
  #isOpened = false;

  /** `isStereo`: no channel of the caller's alone is offered. */
  constructor(isStereo = false) {
    this.#isStereo = isStereo;
  }

  opening(): Frame[] {
    const both = MEDIA(['external', 'internal']);
    const media = this.#isStereo ? [both] : [both, MEDIA(['external'])];
    const participant = { id: randomUUID(), ani: '+15005550006', aniName: 'A caller', dnis: '+15005550001' };
    const whose = { organizationId: randomUUID(), conversationId: randomUUID(), participant };
    return [this.#message('open', { ...whose, media, language: 'en-US' })];
  }

  media(payload: Buffer): Frame {
    this.#samples += payload.length;
    if (!this.#isStereo) return payload;
    return Buffer.from(
      Uint8Array.from({ length: 2 * payload.length }, (_, n) => (n % 2 ? 0x80 : payload[n >> 1])),
    );
  }

  key(digit: string): Frame {
    return this.#message('dtmf', { digit });
  }

  /** It has none; a question whether we are there. */
  marked(): Frame {
    return this.#message('ping', { rtt: 'PT0.1S' });
  }

  closing(): Frame {
    return this.#message('close', { reason: 'end' });
  }

  read(frame: Frame): Ordered {
    if (typeof frame !== 'string') {
      if (!this.#isOpened) throw new Error('Sound came before opened.');
      if (frame.length < MIN_FRAME_BYTES)
        throw new Error(`${frame.length} bytes a frame come too often (429).`);
      return { type: 'play', payload: Buffer.from(frame) };
    }
    const { clientseq, id, parameters, seq, type, version } = JSON.parse(frame);
    if (version !== '2' || id !== this.#id) throw new Error(`${type} is not of this session.`);
    if (seq !== ++this.#serverSequence)
      throw new Error(`${type} has the number ${seq}, not ${this.#serverSequence}.`);
    if (clientseq > this.#sequence) throw new Error(`${type} answers what was not said.`);
    if (type === 'opened') return this.#opened(parameters.media);
    if (type === 'event' && parameters.entities?.[0]?.type === 'barge_in') return { type: 'clear' };
    if (type === 'disconnect' || type === 'closed') return { type: 'hang-up' };
    if (type === 'pong' || type === 'updated') return { type: 'other' };
    throw new Error(`Genesys knows no ${type}.`);
  }

  #opened(media: { channels: string[] }[]): Ordered {
    if (media?.length !== 1) throw new Error('Exactly one format is to be chosen.');
    if (media[0].channels.length !== (this.#isStereo ? 2 : 1))
      throw new Error('Another format is the better one.');
    this.#isOpened = true;
    return { type: 'other' };
  }

  #message(type: string, parameters: object): string {
    const numbers = { seq: ++this.#sequence, serverseq: this.#serverSequence };
    const position = `PT${(this.#samples / SAMPLES_PER_S).toFixed(2)}S`;
    return JSON.stringify({ version: '2', type, ...numbers, id: this.#id, position, parameters });
  }
}

/** By which Genesys says who it is: its key, and where there is a secret its signature. `created` in seconds. */
export function genesysHeaders(
  secret: string,
  at: { readonly url: URL; readonly key: string; readonly created: number; readonly id: () => string },
): Record<string, string> {
  const { created, id, key, url } = at;
  const whose = {
    'audiohook-organization-id': id(),
    'audiohook-session-id': id(),
    'audiohook-correlation-id': id(),
    'x-api-key': key,
  };
  const signed: Readonly<Record<string, string>> = {
    '@request-target': `${url.pathname}${url.search}`,
    '@authority': url.host,
    ...whose,
  };
  const names = Object.keys(signed);
  const times = `created=${created};expires=${created + 10}`;
  const quoted = names.map(name => `"${name}"`).join(' ');
  const input = `(${quoted});keyid="${key}";nonce="${id()}";alg="hmac-sha256";${times}`;
  const signature = genesysSignature(secret, { input, names, value: name => signed[name] });
  return { ...whose, 'signature-input': `sig1=${input}`, signature: `sig1=:${signature}:` };
}
