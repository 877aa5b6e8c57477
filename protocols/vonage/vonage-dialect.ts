/**
 * Vonage's WebSocket (docs/spec/protocols.md §3): 16-bit little-endian sound in binary frames of 20 ms both ways, and a
 * few words of JSON. It tells nothing of what it played (docs/spec/protocols.md §7), so sound is paced, and thrown away
 * with `clear`.
 */
import { z } from 'zod';
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

/** What is on its way while a packet of ours is late; all of it can still be thrown away. */
const VONAGE_PACE: LinePace = { frameMs: 20, leadMs: 100, latencyMs: 60 };
const RATES_HZ: ReadonlySet<number> = new Set([8000, 16_000, 24_000]);
const MAX_PARAMETERS = 64;
const MAX_PARAMETER_CHARS = 8192;

const vonageMessage = z.looseObject({
  event: z.string().max(64),
  'content-type': z.string().max(128).optional(),
  digit: z.string().max(8).optional(),
  dtmf: z.looseObject({ digit: z.string().max(8).optional() }).optional(),
});

export class VonageDialect implements Dialect {
  readonly carrier = 'vonage';
  readonly pace = VONAGE_PACE;

  text(text: string): CarrierEvent {
    const message = readJson(vonageMessage, text);
    if (message.event === 'websocket:connected') return { type: 'start', start: startOf(message) };
    // It stood in an object of its own before.
    if (message.event === 'websocket:dtmf')
      return { type: 'key', key: message.digit ?? message.dtmf?.digit ?? '' };
    return { type: 'other' };
  }

  binary(payload: Buffer): CarrierEvent {
    if (payload.length % 2 !== 0) throw badFrame('The bytes are no whole samples.');
    return { type: 'media', sequence: null, mediaMs: null, payload };
  }

  line(
    { format }: CallStart,
    send: (frame: string | Uint8Array) => void,
    close: (reason: string) => void,
  ): PhoneLine {
    return {
      format,
      play: send,
      clear: () => send(JSON.stringify({ action: 'clear' })),
      hangUp: close,
    };
  }
}

function startOf(message: z.infer<typeof vonageMessage>): CallStart {
  const type = message['content-type'] ?? '';
  const rateHz = Number(/^audio\/l16\s*;\s*rate=(\d{4,5})$/i.exec(type)?.[1] ?? 0);
  if (!RATES_HZ.has(rateHz))
    throw badFrame(`Sound as ${type} is not spoken here: connect with audio/l16;rate=16000.`);
  const format: MediaFormat = { codec: 'pcm16', rateHz };
  // What the NCCO has as `headers` stands beside the rest.
  const parameters: Record<string, string> = {};
  for (const [name, value] of Object.entries(message).slice(0, MAX_PARAMETERS))
    if (typeof value === 'string' && name !== 'event') parameters[name] = value.slice(0, MAX_PARAMETER_CHARS);
  return { callId: parameters.uuid ?? parameters.call_uuid ?? '', format, parameters };
}
