import { RuntimeError } from '../errors.ts';
import type { Weights } from '../weights/index.ts';

/** What a component needs of its files. */
export interface Expected {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Read where they are there. */
  readonly optional?: ReadonlyMap<string, readonly number[]>;
  /** Tensors that other programs use and this one leaves alone, without a word. */
  readonly ignored?: RegExp;
  /** Matrices may be in fp8, with a float32 scale per block of 128 × 128 beside them. */
  readonly allowsFp8?: boolean;
}

export interface Misshapen {
  readonly name: string;
  readonly found: readonly number[];
  readonly expected: readonly number[];
}

/** Names, shapes and types of all tensors, from the headers alone. */
export interface TensorComparison {
  readonly missing: readonly string[];
  readonly misshapen: readonly Misshapen[];
  readonly mistyped: readonly { readonly name: string; readonly type: string }[];
  /** Nobody reads them. */
  readonly surplus: readonly string[];
  /** A missing tensor and a surplus one of its shape that may be it under another name. */
  readonly misnamed: readonly { readonly found: string; readonly wanted: string }[];
}

const FLOATS = new Set(['F32', 'BF16', 'F16']);
const FP8 = 'F8_E4M3';
const FP8_BLOCK = 128;
const MOST_MISNAMED = 20;

export function compareTensors(weights: Weights, expected: Expected): TensorComparison {
  const { shapes, optional = new Map(), ignored, allowsFp8 = false } = expected;
  const missing: string[] = [];
  const misshapen: Misshapen[] = [];
  const mistyped: { name: string; type: string }[] = [];
  const known = new Set<string>();

  const check = (name: string, wanted: readonly number[]) => {
    known.add(name);
    const found = weights.shapeOf(name);
    if (!sameShape(found, wanted)) misshapen.push({ name, found, expected: wanted });
    const type = weights.typeOf(name);
    if (FLOATS.has(type)) return;
    if (type !== FP8 || !allowsFp8 || wanted.length !== 2) {
      mistyped.push({ name, type });
      return;
    }
    const scale = `${name}_scale_inv`;
    const blocks = wanted.map(size => Math.ceil(size / FP8_BLOCK));
    if (!weights.has(scale)) missing.push(scale);
    else check(scale, blocks);
  };

  for (const [name, shape] of shapes) {
    if (weights.has(name)) check(name, shape);
    else missing.push(name);
  }
  for (const [name, shape] of optional) if (weights.has(name)) check(name, shape);
  const surplus = [...weights.names(), ...weights.unlisted()].filter(
    name => !known.has(name) && !ignored?.test(name),
  );
  const misnamed = misnamedOf(missing, surplus, shapes, weights);
  return { missing, misshapen, mistyped, surplus, misnamed };
}

/**
 * @throws RuntimeError `weights.missing` | `weights.shape` | `weights.dtype`, naming the first tensor that does not fit
 * and how many do not
 */
export function refuseMismatch(
  weights: Weights,
  { missing, misshapen, mistyped, misnamed }: TensorComparison,
): void {
  const [shape] = misshapen;
  if (missing.length > 0) {
    const named = misnamed.find(({ wanted }) => wanted === missing[0])?.found;
    throw new RuntimeError(
      'weights.missing',
      'A tensor is missing.',
      { file: weights.source, tensor: missing[0], missing: missing.length, perhaps: named },
      'Is this the right model directory? longcat-rt doctor --model lists all that does not fit.',
    );
  }
  if (shape) {
    const { name, found, expected } = shape;
    throw new RuntimeError(
      'weights.shape',
      'A tensor has another shape than the configuration says.',
      {
        file: weights.fileOf(name),
        tensor: name,
        found: found.join('×'),
        expected: expected.join('×'),
        tensors: misshapen.length,
      },
      'Configuration and weights belong to different models.',
    );
  }
  if (mistyped.length > 0) {
    const { name, type } = mistyped[0];
    throw new RuntimeError(
      'weights.dtype',
      'A tensor has an element type that is not supported here.',
      { file: weights.fileOf(name), tensor: name, dtype: type, tensors: mistyped.length },
      'Use an export of the model in bf16, f16 or f32.',
    );
  }
}

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);

function misnamedOf(
  missing: readonly string[],
  surplus: readonly string[],
  shapes: Expected['shapes'],
  weights: Weights,
): { found: string; wanted: string }[] {
  const left = surplus.filter(name => weights.has(name));
  return missing.slice(0, MOST_MISNAMED).flatMap(wanted => {
    const shape = shapes.get(wanted);
    const alike = left.filter(name => shape && sameShape(weights.shapeOf(name), shape));
    const found = alike.sort((a, b) => shared(b, wanted) - shared(a, wanted))[0];
    return found === undefined ? [] : [{ found, wanted }];
  });
}

/** Parts between dots that two names have in common. */
function shared(a: string, b: string): number {
  const parts = new Set(b.split('.'));
  return a.split('.').filter(part => parts.has(part)).length;
}
