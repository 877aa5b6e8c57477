/**
 * The frames of Asterisk's AudioSocket in a stream of bytes: kind, length of two bytes, big-endian, payload
 * (docs/spec/protocols.md §4).
 */
export const HEADER_BYTES = 3;

export const KIND = { hangUp: 0x00, uuid: 0x01, key: 0x03, error: 0xff } as const;

/** Rates of sound, by kind: signed 16-bit, little-endian, mono. */
export const RATES_HZ: Readonly<Record<number, number>> = {
  16: 8000,
  17: 12_000,
  18: 16_000,
  19: 24_000,
  20: 32_000,
  21: 44_100,
  22: 48_000,
  23: 96_000,
  24: 192_000,
};

export function audioSocketFrame(kind: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + payload.length);
  frame.writeUInt8(kind, 0);
  frame.writeUInt16BE(payload.length, 1);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/** Cuts a stream into its frames, whatever its pieces are; never holds more than one frame that is not whole. */
export class FrameSplitter {
  #rest: Buffer = Buffer.alloc(0);

  /** Whole frames, headers included. */
  push(bytes: Buffer): Buffer[] {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const frames: Buffer[] = [];
    let at = 0;
    while (all.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + all.readUInt16BE(at + 1);
      if (end > all.length) break;
      frames.push(all.subarray(at, end));
      at = end;
    }
    this.#rest = Buffer.from(all.subarray(at));
    return frames;
  }
}
