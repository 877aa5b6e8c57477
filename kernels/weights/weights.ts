import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { RuntimeError } from '../errors.ts';
import { SafetensorsFile } from './safetensors-file.ts';
import type { TensorEntry } from './safetensors-header.ts';
import { createWeight, firstNotFinite, type Weight, type WeightType } from './weight.ts';

/** Named tensors of one component, in one safetensors file or many. Tensors are read from disk at each call. */
export interface Weights {
  /** Where they come from, for messages. */
  readonly source: string;
  names(): string[];
  has(name: string): boolean;
  /** @throws RuntimeError `weights.missing` */
  shapeOf(name: string): readonly number[];
  /**
   * A float tensor of exactly this shape; with `rows`, only so many of its first axis are read.
   * @throws RuntimeError `weights.missing` | `weights.shape` | `weights.dtype` | `weights.not-finite`, naming file and tensor
   */
  tensor(name: string, shape: readonly number[], rows?: number): Weight;
  /** The same, expanded to float32. */
  floats(name: string, shape: readonly number[]): Float32Array;
  /** An I32, I64 or U8 tensor, flattened; values must fit 32 bits. */
  integers(name: string, shape: readonly number[]): Int32Array;
  close(): void;
}

const FLOAT_TYPES: Readonly<Record<string, WeightType>> = { F32: 'f32', BF16: 'bf16', F16: 'f16' };
const MAX_INDEX_BYTES = 100_000_000;
const MAX_SHARDS = 4096;

/** One safetensors file. */
export function openWeightFile(path: string): Weights {
  const file = new SafetensorsFile(path);
  const located = new Map([...file.entries].map(([name, entry]) => [name, { file, entry }]));
  return new LocatedWeights(path, located, [file]);
}

/**
 * A Hugging Face directory: `STEM.safetensors`, or the shards listed in `STEM.safetensors.index.json`.
 * @throws RuntimeError `weights.open` | `weights.index` and those of the files
 */
export function openWeightDirectory(directory: string, stem = 'model'): Weights {
  const indexPath = join(directory, `${stem}.safetensors.index.json`);
  return existsSync(indexPath)
    ? openShards(directory, indexPath)
    : openWeightFile(join(directory, `${stem}.safetensors`));
}

interface Located {
  readonly file: SafetensorsFile;
  readonly entry: TensorEntry;
}

function openShards(directory: string, indexPath: string): Weights {
  const weightMap = readIndex(indexPath);
  const files = new Map<string, SafetensorsFile>();
  const located = new Map<string, Located>();
  try {
    for (const [tensor, name] of Object.entries(weightMap)) {
      let file = files.get(name);
      if (file === undefined) {
        if (files.size >= MAX_SHARDS)
          throw indexError(indexPath, 'The index names too many files.', tensor, name);
        file = new SafetensorsFile(join(directory, name));
        files.set(name, file);
      }
      const entry = file.entries.get(tensor);
      if (!entry) throw indexError(indexPath, 'The file named by the index lacks the tensor.', tensor, name);
      located.set(tensor, { file, entry });
    }
  } catch (error) {
    for (const file of files.values()) file.close();
    throw error;
  }
  return new LocatedWeights(directory, located, [...files.values()]);
}

function readIndex(indexPath: string): Record<string, string> {
  let weightMap: unknown;
  try {
    const stat = statSync(indexPath);
    if (!stat.isFile() || stat.size > MAX_INDEX_BYTES) throw new Error('not a regular file of sane size');
    weightMap = (JSON.parse(readFileSync(indexPath, 'utf8')) as { weight_map?: unknown } | null)?.weight_map;
  } catch (error) {
    const values = { file: indexPath, cause: (error as Error).message };
    throw new RuntimeError('weights.index', 'The index of the weights cannot be read.', values);
  }
  if (typeof weightMap !== 'object' || weightMap === null || Array.isArray(weightMap)) {
    throw new RuntimeError('weights.index', 'The index has no `weight_map` object.', { file: indexPath });
  }
  for (const [tensor, name] of Object.entries(weightMap)) {
    // A plain name only: an index must not make us open files outside the model's directory.
    const isPlain = typeof name === 'string' && name !== '' && name !== '..' && basename(name) === name;
    if (!isPlain || name.includes('\\') || name.includes('\0')) {
      throw indexError(indexPath, 'The index names a file outside its directory.', tensor, String(name));
    }
  }
  return weightMap as Record<string, string>;
}

function indexError(indexPath: string, what: string, tensor: string, named: string): RuntimeError {
  return new RuntimeError('weights.index', what, { file: indexPath, tensor, named });
}

class LocatedWeights implements Weights {
  readonly source: string;
  readonly #located: ReadonlyMap<string, Located>;
  readonly #files: readonly SafetensorsFile[];

  constructor(source: string, located: ReadonlyMap<string, Located>, files: readonly SafetensorsFile[]) {
    this.source = source;
    this.#located = located;
    this.#files = files;
  }

  names(): string[] {
    return [...this.#located.keys()];
  }

  has(name: string): boolean {
    return this.#located.has(name);
  }

  shapeOf(name: string): readonly number[] {
    return this.#locate(name).entry.shape;
  }

  tensor(name: string, shape: readonly number[], rows = shape[0]): Weight {
    const { file, entry } = this.#locate(name, shape);
    const dtype = Object.hasOwn(FLOAT_TYPES, entry.type) ? FLOAT_TYPES[entry.type] : undefined;
    if (dtype === undefined) throw wrongType(file, entry, 'F32, BF16 or F16');
    const whole = rows === shape[0];
    const end = whole ? entry.end : entry.begin + ((entry.end - entry.begin) / shape[0]) * rows;
    const bytes = file.read({ ...entry, end });
    const data = dtype === 'f32' ? new Float32Array(bytes) : new Uint16Array(bytes);
    const bad = firstNotFinite(dtype, data);
    if (bad >= 0) throw notFinite(file, entry, bad);
    return createWeight(name, whole ? shape : [rows, ...shape.slice(1)], dtype, data);
  }

  floats(name: string, shape: readonly number[]): Float32Array {
    return this.tensor(name, shape).toFloat32();
  }

  integers(name: string, shape: readonly number[]): Int32Array {
    const { file, entry } = this.#locate(name, shape);
    if (entry.type === 'I32') return new Int32Array(file.read(entry));
    if (entry.type === 'U8') return Int32Array.from(new Uint8Array(file.read(entry)));
    if (entry.type !== 'I64') throw wrongType(file, entry, 'I32, I64 or U8');
    return Int32Array.from(new BigInt64Array(file.read(entry)), Number);
  }

  #locate(name: string, shape?: readonly number[]): Located {
    const located = this.#located.get(name);
    if (!located) {
      const remedy = 'Is this the right model directory?';
      throw new RuntimeError(
        'weights.missing',
        'A tensor is missing.',
        { file: this.source, tensor: name },
        remedy,
      );
    }
    const found = located.entry.shape;
    if (shape && (shape.length !== found.length || shape.some((size, axis) => size !== found[axis]))) {
      throw new RuntimeError(
        'weights.shape',
        'A tensor has another shape than the configuration says.',
        { file: located.file.path, tensor: name, found: found.join('×'), expected: shape.join('×') },
        'Configuration and weights belong to different models.',
      );
    }
    return located;
  }

  close(): void {
    for (const file of this.#files) file.close();
  }
}

function notFinite(file: SafetensorsFile, entry: TensorEntry, at: number): RuntimeError {
  return new RuntimeError(
    'weights.not-finite',
    'A tensor holds a value that is infinite or not a number.',
    { file: file.path, tensor: entry.name, element: at },
    'The file is damaged, or its training diverged; use another export.',
  );
}

function wrongType(file: SafetensorsFile, entry: TensorEntry, supported: string): RuntimeError {
  return new RuntimeError(
    'weights.dtype',
    'A tensor has an element type that is not supported here.',
    { file: file.path, tensor: entry.name, dtype: entry.type, supported },
    'Use an unquantised export of the model.',
  );
}
