/** What passes between TypeScript and the compiled addon beside numbers. */

/** Something the addon prepared; freed when nobody refers to it any more. */
export interface NativeHandle {
  readonly native: unique symbol;
}

/**
 * A weight as the addon takes it: floats, bfloat16 in a Uint16Array, int8 (with a scale per output), or in a
 * Float64Array the place in a file where it is to be read (`storedValues` in linear/cpu.ts).
 */
export type StoredValues = Float32Array | Uint16Array | Int8Array | Float64Array;
