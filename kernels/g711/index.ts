/**
 * ITU-T G.711 companding, one byte per sample as on the wire (A-law with even bits inverted, µ-law with all bits
 * inverted). Samples are in [−1, 1]; full scale is 32768 in 16-bit steps, of which µ-law reaches 32124 and A-law 32256.
 */
export interface G711 {
  /** [n] bytes → [n] samples. */
  decode(bytes: Uint8Array, out?: Float32Array): Float32Array;
  /** [n] samples → [n] bytes; values beyond full scale are clipped, NaN is silence. */
  encode(samples: Float32Array, out?: Uint8Array): Uint8Array;
}

export type G711Law = 'mu-law' | 'a-law';
