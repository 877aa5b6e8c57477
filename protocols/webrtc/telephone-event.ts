/** Keys beside the voice (RFC 4733 §2.3): four bytes each, sent again and again while the key is held. */

const KEYS = '0123456789*#ABCD';
const END_BIT = 0x80;

export class KeyPresses {
  #lastTimestamp: number | null = null;

  /**
   * The key that was let go with this packet; null for all that say it still is held, and for those that only say it
   * again.
   */
  packet(payload: Buffer, timestamp: number): string | null {
    if (payload.length < 4 || (payload[1] & END_BIT) === 0 || timestamp === this.#lastTimestamp) return null;
    this.#lastTimestamp = timestamp;
    return KEYS[payload[0]] ?? null;
  }
}
