import { join } from 'node:path';
import type { RgbImage, VisionEncoderAnswer, VisionEncoderWork } from '../../engine/engine.ts';
import { RuntimeError } from '../../errors.ts';
import type { CudaComponentHandle } from '../../native/cuda/addon.ts';
import type { CudaDevice } from '../../native/cuda/device.ts';
import type { Ops } from '../../ops.ts';
import { openWeightFile } from '../../weights/index.ts';
import { bytesOfTensors, loadTensors } from '../device-tensors.ts';
import type { VisionConfig } from './config.ts';
import { deviceTensors } from './device-weights.ts';
import { checkMaxTokens, PictureReader } from './picture-reader.ts';

export interface DeviceVisionOptions {
  /** Units that go through the layers at once, with no more patches together than the largest one has. Same bits. */
  readonly units?: number;
}

const DEFAULT_UNITS = 32;
/** Largest head of attention/cuda.cu. */
const MOST_HEAD = 128;

type Unit = ReturnType<PictureReader['read']>;

/**
 * The vision encoder on a device: pictures are brought to size and cut into patches here, patches go there, and tokens
 * come back. A unit's tokens have the same bits whatever else is in its batch.
 */
export class DeviceVisionEncoder {
  /** Weights and workspace together. */
  readonly deviceBytes: number;
  readonly #config: VisionConfig;
  readonly #reader: PictureReader;
  readonly #device: CudaDevice;
  readonly #encoder: CudaComponentHandle;
  readonly #rows: number;
  readonly #units: number;

  /**
   * @param ops of this processor, for what is done here
   * @throws RuntimeError `weights.*` | `cuda.*`
   */
  constructor(
    ops: Ops,
    modelDirectory: string,
    config: VisionConfig,
    device: CudaDevice,
    { units = DEFAULT_UNITS }: DeviceVisionOptions = {},
  ) {
    checkHeads(config);
    this.#config = config;
    this.#reader = new PictureReader(ops, config);
    this.#device = device;
    // A picture that is enlarged to the least number of patches may have somewhat more, when its sides are rounded up.
    this.#rows = Math.max(config.still.max, config.pair.max, 2 * config.still.min, 2 * config.pair.min);
    this.#units = units;
    const folder = join(modelDirectory, 'vision');
    const model = openWeightFile(join(folder, 'vision_model.safetensors'));
    const projector = openWeightFile(join(folder, 'vision_projector.safetensors'));
    try {
      const tensors = () => deviceTensors(config, this.#rows, model, projector);
      const bytes = bytesOfTensors(tensors());
      this.#encoder = device.guard('planning the memory of an encoder', () =>
        device.addon.createVisionEncoder(this.#sizes(), config.epsilon, bytes),
      );
      this.deviceBytes = loadTensors(device, this.#encoder, tensors());
    } finally {
      model.close();
      projector.close();
    }
  }

  /** @throws RuntimeError `vision.picture` | `vision.max-tokens` | `cuda.size` */
  step(batch: readonly VisionEncoderWork<RgbImage>[]): VisionEncoderAnswer[] {
    for (const { maxTokens } of batch) checkMaxTokens(maxTokens);
    const answers: VisionEncoderAnswer[] = [];
    let together: Unit[] = [];
    let rows = 0;
    const flush = () => {
      if (together.length > 0) answers.push(...this.#pass(together, batch.slice(answers.length)));
      [together, rows] = [[], 0];
    };
    // Patches are large: those of one pass are there at a time.
    for (const { frames } of batch) {
      const unit = this.#reader.read(frames);
      const own = unit.rows * unit.columns;
      if (own > this.#rows) throw tooLarge({ patches: own, most: this.#rows });
      const fits = rows + own <= this.#rows && together.length < this.#units;
      if (!fits || together[0]?.isStill !== unit.isStill) flush();
      together.push(unit);
      rows += own;
    }
    flush();
    return answers;
  }

  #pass(units: readonly Unit[], works: readonly VisionEncoderWork<RgbImage>[]): VisionEncoderAnswer[] {
    const { output } = this.#config;
    const patches = units.length === 1 ? units[0].patches : joinedPatches(units);
    const tokens = units.map(({ rows, columns }) => (rows * columns) / 2);
    const vectors = new Float32Array(tokens.reduce((sum, count) => sum + count, 0) * output);
    const grids = Int32Array.from(units.flatMap(({ rows, columns }) => [rows, columns]));
    this.#device.guard('a pass of the vision encoder', () =>
      this.#device.addon.stepVisionEncoder(this.#encoder, Number(units[0].isStill), grids, patches, vectors),
    );
    let at = 0;
    return units.map(({ rows, columns }, i) => {
      const own = vectors.slice(at, (at += tokens[i] * output));
      const { projector, tokenGrid } = this.#reader.interpolate(own, rows, columns / 2, works[i].maxTokens);
      return { vectors: projector, count: tokenGrid[0] * tokenGrid[1], grid: tokenGrid };
    });
  }

  /** The order of createVisionEncoder in native/cuda/bind-vision-encoder.cpp. */
  #sizes(): Int32Array {
    const { layers, hidden, heads, intermediate, patch, frames, adaptor, output } = this.#config;
    const { qkvBias, patchBias, normaliseQk } = this.#config;
    const still = 3 * patch ** 2;
    return Int32Array.of(
      ...[layers, hidden, heads, intermediate, still, frames * still, adaptor, output, this.#rows],
      ...[Number(qkvBias), Number(patchBias), Number(normaliseQk), this.#rows, this.#units],
    );
  }
}

function joinedPatches(units: readonly Unit[]): Float32Array {
  const all = new Float32Array(units.reduce((sum, { patches }) => sum + patches.length, 0));
  let at = 0;
  for (const { patches } of units) {
    all.set(patches, at);
    at += patches.length;
  }
  return all;
}

function checkHeads({ headDim }: VisionConfig): void {
  if (headDim > MOST_HEAD) throw tooLarge({ headDim, mostHeadDim: MOST_HEAD });
}

function tooLarge(values: Readonly<Record<string, number>>): RuntimeError {
  return new RuntimeError(
    'cuda.size',
    'The CUDA kernels are not made for a model of these sizes.',
    values,
    'Use the cpu engine.',
  );
}
