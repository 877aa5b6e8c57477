/**
 * ITU-T G.722 at 64 kbit/s: 16 kHz, two samples a byte (the upper two bits are the band above 4 kHz). Both directions
 * have a memory, so one of each belongs to one stream. Samples are in [−1, 1].
 */
export interface G722Encoder {
  /**
   * [2n] samples → [n] bytes; an odd last sample waits for the next call. Values beyond full scale are clipped, NaN is
   * silence.
   */
  encode(samples: Float32Array): Uint8Array;
}

export interface G722Decoder {
  /** [n] bytes → [2n] samples. */
  decode(bytes: Uint8Array): Float32Array;
}
