/**
 * AudioHook, version 2: every word is numbered on both sides, sound is µ-law in binary frames. Who sends many small
 * ones is refused, so ours are long; of what was played whole messages alone are told, so what counts as heard goes by
 * the clock. A `barge_in` throws away what waits.
 */
import type { MediaFormat } from '../media/index.ts';
import {
  badFrame,
  type CallStart,
  type CarrierEvent,
  type Dialect,
  type LinePace,
  type PhoneLine,
  readJson,
} from '../telephone/index.ts';
import { type GenesysMessage, genesysMessage, type OfferedMedia } from './messages.ts';

const FORMAT: MediaFormat = { codec: 'mu-law', rateHz: 8000 };
/** A frame leaves when it is full, so the ear may be later by its length; to count too little is a word said twice. */
const GENESYS_PACE: LinePace = { frameMs: 200, leadMs: 400, latencyMs: 200 };
/** A test of the connection, which is no call. */
const PROBE = /^0{8}-(?:0{4}-){3}0{12}$/;
const MAX_VARIABLES = 64;
const MAX_VARIABLE_CHARS = 8192;

export class GenesysDialect implements Dialect {
  readonly carrier = 'genesys';
  readonly pace = GENESYS_PACE;
  #send: (frame: string | Uint8Array) => void = () => {};
  #id = '';
  #clientSequence = 0;
  #serverSequence = 0;
  /** 2: the caller's is the first of two that take turns. */
  #channels = 1;
  #isClosing = false;

  attach(send: (frame: string | Uint8Array) => void): void {
    this.#send = send;
  }

  /** Where we end the call; it is told of its own asking at once. */
  get farewell(): string | undefined {
    return this.#isClosing ? undefined : this.#message('disconnect', { reason: 'completed' });
  }

  text(text: string): CarrierEvent {
    const message = readJson(genesysMessage, text);
    this.#clientSequence = message.seq;
    if (message.type === 'open') return this.#open(message);
    if (message.type === 'ping') this.#send(this.#message('pong', {}));
    else if (message.type === 'update') this.#send(this.#message('updated', {}));
    else if (message.type === 'dtmf') return { type: 'key', key: message.parameters?.digit ?? '' };
    else if (message.type === 'close') return this.#close(message);
    return { type: 'other' };
  }

  binary(bytes: Buffer): CarrierEvent {
    if (bytes.length % this.#channels !== 0) throw badFrame('The bytes are no whole samples.');
    const payload =
      this.#channels === 1
        ? bytes
        : Buffer.from(
            Uint8Array.from({ length: bytes.length / this.#channels }, (_, n) => bytes[this.#channels * n]),
          );
    return { type: 'media', sequence: null, mediaMs: null, payload };
  }

  line(
    _start: CallStart,
    send: (frame: string | Uint8Array) => void,
    close: (reason: string) => void,
  ): PhoneLine {
    return {
      format: FORMAT,
      play: send,
      clear: () => send(this.#message('event', { entities: [{ type: 'barge_in', data: {} }] })),
      hangUp: close,
    };
  }

  #open({ id, parameters = {} }: GenesysMessage): CarrierEvent {
    const media = chosen(parameters.media ?? []);
    if (!media) throw badFrame('No sound is offered that is spoken here: PCMU of 8 kHz is wanted.');
    this.#id = id;
    this.#channels = media.channels.length;
    this.#send(this.#message('opened', { startPaused: false, media: [media] }));
    if (PROBE.test(parameters.conversationId ?? '')) return { type: 'other' };
    return { type: 'start', start: startOf(parameters) };
  }

  #close({ parameters }: GenesysMessage): CarrierEvent {
    this.#isClosing = true;
    this.#send(this.#message('closed', {}));
    return { type: 'stop', reason: `the carrier ended the call (${parameters?.reason ?? 'no reason'})` };
  }

  #message(type: string, parameters: object): string {
    const numbers = { seq: ++this.#serverSequence, clientseq: this.#clientSequence };
    return JSON.stringify({ version: '2', type, ...numbers, id: this.#id, parameters });
  }
}

/** The caller alone where that is offered; else both, whose first the caller is. */
function chosen(offered: readonly OfferedMedia[]): OfferedMedia | null {
  const usable = offered.filter(
    ({ channels, format, rate }) =>
      format === 'PCMU' && rate === 8000 && channels[0] === 'external' && channels.length <= 2,
  );
  return usable.find(({ channels }) => channels.length === 1) ?? usable[0] ?? null;
}

function startOf(parameters: NonNullable<GenesysMessage['parameters']>): CallStart {
  const { conversationId = '', customConfig = {}, inputVariables = {}, participant } = parameters;
  const told: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...customConfig, ...inputVariables }).slice(0, MAX_VARIABLES))
    if (typeof value === 'string') told[name] = value.slice(0, MAX_VARIABLE_CHARS);
  const { ani, dnis } = participant ?? {};
  return {
    callId: conversationId,
    format: FORMAT,
    parameters: { ...told, ...(ani && { from: ani }), ...(dnis && { to: dnis }) },
  };
}
