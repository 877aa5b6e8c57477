import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { RuntimeError } from '../errors.ts';
import { SafetensorsFile } from './safetensors-file.ts';
import type { TensorEntry } from './safetensors-header.ts';
import { FP8_BLOCK, fp8ToBfloat16 } from './fp8.ts';
import {
  createWeight,
  firstNotFinite,
  type StoredPlace,
  storedWeight,
  type Weight,
  type WeightType,
} from './weight.ts';

/** Named tensors of one component, in one safetensors file or many. Tensors are read from disk at each call. */
export interface Weights {
  /** Where they come from, for messages. */
  readonly source: string;
  names(): string[];
  /** Tensors that lie in the files though the index does not name them. */
  unlisted(): string[];
  /** Of all tensors together, in the files. */
  bytes(): number;
  /** The file that holds it, for messages. @throws RuntimeError `weights.missing` */
  fileOf(name: string): string;
  has(name: string): boolean;
  /** @throws RuntimeError `weights.missing` */
  shapeOf(name: string): readonly number[];
  /** As written in the file: `F32`, `BF16`, … @throws RuntimeError `weights.missing` */
  typeOf(name: string): string;
  /**
   * A float tensor of exactly this shape.
   * @throws RuntimeError `weights.missing` | `weights.shape` | `weights.dtype` | `weights.not-finite`, naming file and
   * tensor
   */
  tensor(name: string, shape: readonly number[]): Weight;
  /**
   * The same, read only when it is packed or its data is asked for, which must be before `close`; fp8 matrices with
   * their scales beside them (`…_scale_inv`) become bfloat16.
   *
   * @param part a piece of the tensor: `shape` elements from element `begin` on
   */
  matrix(name: string, shape: readonly number[], part?: TensorPart): Weight;
  /** The same, expanded to float32. */
  floats(name: string, shape: readonly number[]): Float32Array;
  /** An I32, I64 or U8 tensor, flattened; values must fit 32 bits. */
  integers(name: string, shape: readonly number[]): Int32Array;
  close(): void;
}

export interface TensorPart {
  readonly begin: number;
  readonly shape: readonly number[];
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
 * A Hugging Face directory: `model.safetensors`, or the shards listed in `model.safetensors.index.json`.
 *
 * @param only shards that hold no such tensor need not be there
 * @throws RuntimeError `weights.open` | `weights.index` and those of the files
 */
export function openWeightDirectory(directory: string, only?: (tensor: string) => boolean): Weights {
  const indexPath = join(directory, 'model.safetensors.index.json');
  return existsSync(indexPath)
    ? openShards(directory, indexPath, only)
    : openWeightFile(join(directory, 'model.safetensors'));
}

interface Located {
  readonly file: SafetensorsFile;
  readonly entry: TensorEntry;
}

function openShards(directory: string, indexPath: string, only = (_: string) => true): Weights {
  const weightMap = readIndex(indexPath);
  const files = new Map<string, SafetensorsFile>();
  const located = new Map<string, Located>();
  try {
    for (const [tensor, name] of Object.entries(weightMap)) {
      if (!only(tensor)) continue;
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

  unlisted(): string[] {
    const all = this.#files.flatMap(file => [...file.entries.keys()].map(name => ({ file, name })));
    return all.filter(({ file, name }) => this.#located.get(name)?.file !== file).map(({ name }) => name);
  }

  bytes(): number {
    let sum = 0;
    for (const { entry } of this.#located.values()) sum += entry.end - entry.begin;
    return sum;
  }

  fileOf(name: string): string {
    return this.#locate(name).file.path;
  }

  has(name: string): boolean {
    return this.#located.has(name);
  }

  shapeOf(name: string): readonly number[] {
    return this.#locate(name).entry.shape;
  }

  typeOf(name: string): string {
    return this.#locate(name).entry.type;
  }

  tensor(name: string, shape: readonly number[]): Weight {
    const located = this.#locate(name, shape);
    const dtype = floatType(located);
    return createWeight(name, shape, dtype, readFloats(located, dtype));
  }

  matrix(name: string, shape: readonly number[], part?: TensorPart): Weight {
    const located = this.#locate(name, shape);
    if (located.entry.type === FP8 && !part) return this.#fp8Matrix(located, shape);
    const dtype = floatType(located);
    const piece = part ? pieceOf(located, part) : located;
    const read = () => readFloats(piece, dtype);
    const { file, entry } = piece;
    const wanted = part?.shape ?? shape;
    // A float16 has no panels of its own: it is widened here.
    if (dtype === 'f16') return createWeight(name, wanted, dtype, read());
    const place = { descriptor: file.descriptor, begin: entry.begin, type: dtype };
    return storedWeight(name, wanted, dtype, place, read);
  }

  #fp8Matrix({ file, entry }: Located, shape: readonly number[]): Weight {
    const [rows, columns] = shape;
    const blocks = [rows, columns].map(size => Math.ceil(size / FP8_BLOCK));
    const scales = this.#locate(`${entry.name}_scale_inv`, blocks);
    if (scales.entry.type !== 'F32') throw wrongType(scales.file, scales.entry, 'F32');
    const place: StoredPlace = {
      descriptor: file.descriptor,
      begin: entry.begin,
      type: 'fp8',
      scales: {
        descriptor: scales.file.descriptor,
        begin: scales.entry.begin,
        blockRows: FP8_BLOCK,
        blockColumns: FP8_BLOCK,
      },
    };
    const read = () => {
      const factors = new Float32Array(scales.file.read(scales.entry));
      const values = fp8ToBfloat16(new Uint8Array(file.read(entry)), rows, columns, factors);
      const bad = firstNotFinite('bf16', values);
      if (bad >= 0) throw notFinite(file, entry, bad);
      return values;
    };
    return storedWeight(entry.name, shape, 'bf16', place, read);
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

const FP8 = 'F8_E4M3';

function floatType({ file, entry }: Located): WeightType {
  if (Object.hasOwn(FLOAT_TYPES, entry.type)) return FLOAT_TYPES[entry.type];
  throw wrongType(file, entry, 'F32, BF16 or F16');
}

function readFloats({ file, entry }: Located, dtype: WeightType): Float32Array | Uint16Array {
  const bytes = file.read(entry);
  const data = dtype === 'f32' ? new Float32Array(bytes) : new Uint16Array(bytes);
  const bad = firstNotFinite(dtype, data);
  if (bad >= 0) throw notFinite(file, entry, bad);
  return data;
}

/** A piece of a tensor as an entry of its own. */
function pieceOf({ file, entry }: Located, { begin, shape }: TensorPart): Located {
  const count = entry.shape.reduce((product, size) => product * size, 1);
  const bytes = (entry.end - entry.begin) / count;
  const from = entry.begin + begin * bytes;
  const end = from + shape.reduce((product, size) => product * size, bytes);
  return { file, entry: { ...entry, shape, begin: from, end } };
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
    'Use an export of the model in bf16, f16 or f32.',
  );
}
