import { RuntimeError } from '../errors.ts';

export type WeightType = 'f32' | 'bf16' | 'f16';

/**
 * Where values lie in an open file: kernels that can read them there do so with all their threads, and nothing is in
 * memory twice. `fp8` (e4m3) has a float per block of rows and columns beside it and becomes bfloat16.
 */
export interface StoredPlace {
  readonly descriptor: number;
  /** Byte of the first element. */
  readonly begin: number;
  readonly type: 'f32' | 'bf16' | 'fp8';
  readonly scales?: {
    readonly descriptor: number;
    readonly begin: number;
    readonly blockRows: number;
    readonly blockColumns: number;
  };
}

/** One tensor as it lies in the file: row-major, `data.length` = product of `shape`, 16-bit types as their bits. */
export interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: WeightType;
  /** Of a weight with a `place`: read when first asked for. */
  readonly data: Float32Array | Uint16Array;
  readonly place?: StoredPlace;
  /** The values in float32; for `f32` the very data, not a copy. */
  toFloat32(): Float32Array;
}

export function createWeight(
  name: string,
  shape: readonly number[],
  dtype: WeightType,
  data: Float32Array | Uint16Array,
): Weight {
  const count = shape.reduce((product, size) => product * size, 1);
  if (count !== data.length || (dtype === 'f32') !== data instanceof Float32Array) {
    throw new RuntimeError('weights.shape', 'The data does not fit the shape and type of the weight.', {
      tensor: name,
      shape: shape.join('×'),
      dtype,
      length: data.length,
    });
  }
  return { name, shape, dtype, data, toFloat32: () => toFloat32(dtype, data) };
}

/** A weight that is read, by `read`, when its data is asked for, or by a kernel from its place. */
export function storedWeight(
  name: string,
  shape: readonly number[],
  dtype: WeightType,
  place: StoredPlace,
  read: () => Float32Array | Uint16Array,
): Weight {
  let loaded: Weight | null = null;
  const load = (): Weight => {
    loaded ??= createWeight(name, shape, dtype, read());
    return loaded;
  };
  return {
    name,
    shape,
    dtype,
    place,
    get data() {
      return load().data;
    },
    toFloat32: () => load().toFloat32(),
  };
}

function toFloat32(dtype: WeightType, data: Float32Array | Uint16Array): Float32Array {
  if (data instanceof Float32Array) return data;
  return dtype === 'bf16' ? bfloat16ToFloat32(data) : float16ToFloat32(data);
}

/** Where every bit of the exponent is set: infinities and NaN. */
const EXPONENT_BITS: Readonly<Record<WeightType, number>> = { f32: 0x7f800000, bf16: 0x7f80, f16: 0x7c00 };

/** Index of the first value that is infinite or not a number; −1 when all are finite. */
export function firstNotFinite(dtype: WeightType, data: Float32Array | Uint16Array): number {
  const exponent = EXPONENT_BITS[dtype];
  const bits =
    data instanceof Float32Array ? new Int32Array(data.buffer, data.byteOffset, data.length) : data;
  for (let i = 0; i < bits.length; i++) if ((bits[i] & exponent) === exponent) return i;
  return -1;
}

/** A bfloat16 is the upper half of a float32. */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i] << 16;
  return new Float32Array(words.buffer);
}

/** IEEE 754 binary16, subnormals, infinities and NaN included. */
export function float16ToFloat32(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const sign = bits[i] & 0x8000 ? -1 : 1;
    const exponent = (bits[i] >> 10) & 31;
    const fraction = bits[i] & 1023;
    if (exponent === 0) values[i] = sign * fraction * 2 ** -24;
    else if (exponent === 31) values[i] = fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    else values[i] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return values;
}

/** Rounds to nearest, ties to even. */
export function float32ToBfloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    const notANumber = (word & 0x7fffffff) > 0x7f800000;
    bits[i] = notANumber ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return bits;
}
