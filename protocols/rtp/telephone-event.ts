/** Keys as packets beside the sound (RFC 4733 §2): in once each, however often they are sent, and out. */

const KEYS = '0123456789*#ABCD';
/** Events of which more packets may still come, out of order. */
const REMEMBERED = 8;
const PACKET_MS = 20;
/** How often the end is said (RFC 4733 §2.5.1.4). */
const END_PACKETS = 3;
/** As loud as telephones make them: dBm0, negated. */
const VOLUME = 10;

/** Which key a packet of an event tells for the first time. */
export class KeyReader {
  readonly #seen: number[] = [];

  /** Null: of a key that was told already, or of no key. All packets of one event have its timestamp. */
  read(timestamp: number, payload: Buffer): string | null {
    if (payload.length < 4 || this.#seen.includes(timestamp)) return null;
    this.#seen.push(timestamp);
    if (this.#seen.length > REMEMBERED) this.#seen.shift();
    return KEYS[payload[0]] ?? null;
  }
}

export interface EventPacket {
  readonly marker: boolean;
  readonly payload: Buffer;
}

/** The packets of one key, one each 20 ms and the last three at its end; all of one timestamp. Null for no key. */
export function keyPackets(key: string, durationMs: number, clockRateHz: number): EventPacket[] | null {
  const event = KEYS.indexOf(key.toUpperCase());
  if (event < 0 || key.length !== 1) return null;
  const steps = Math.max(1, Math.round(durationMs / PACKET_MS));
  return Array.from({ length: steps - 1 + END_PACKETS }, (_, n) => {
    const isEnd = n >= steps - 1;
    const payload = Buffer.alloc(4);
    payload[0] = event;
    payload[1] = (isEnd ? 128 : 0) | VOLUME;
    const duration = (Math.min(n + 1, steps) * PACKET_MS * clockRateHz) / 1000;
    payload.writeUInt16BE(Math.min(0xffff, duration), 2);
    return { marker: n === 0, payload };
  });
}
