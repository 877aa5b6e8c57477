import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { weightsFinding } from '../../cli/doctor/index.ts';
import { tinyDimensions, writeSeededCheckpoint } from '../../kernels/checkpoint/index.ts';
import {
  loadLanguageModel,
  modelSize,
  parseLanguageModelConfig,
} from '../../kernels/components/language-model/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { expectedBackbone } from '../../kernels/inventory/expected.ts';
import { inventoryOf } from '../../kernels/inventory/index.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';
import type { Weights } from '../../kernels/weights/index.ts';
import { type SparseTensor, writeSparseShards } from '../support/sparse-model.ts';

const GIB = 2 ** 30;
const NONE = { has: () => false } as unknown as Weights;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'inventory-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function errorOf(run: () => unknown): RuntimeError {
  try {
    run();
  } catch (error) {
    if (error instanceof RuntimeError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the full-size model on sparse files', () => {
  const config = parseLanguageModelConfig();
  const trueTensors = (): SparseTensor[] =>
    [...expectedBackbone(config, NONE).shapes].map(([name, shape]) => {
      return { name, shape, type: name.includes('.router.') ? 'F32' : 'BF16' };
    });

  function written(tensors: readonly SparseTensor[], keys: Record<string, unknown> = {}): string {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'config.json'), JSON.stringify(keys));
    writeFileSync(join(directory, 'tokenizer.json'), '{"model":{"vocab":{}}}');
    writeSparseShards(directory, tensors, 75);
    return directory;
  }

  it('has the parameters of the specification, and is refused before anything is loaded where it does not fit', () => {
    const tensors = trueTensors();
    const count = tensors.reduce((sum, { shape }) => sum + shape.reduce((p, size) => p * size, 1), 0);
    expect(count).toBe(modelSize(config).parameters);
    const [inventory] = inventoryOf(written(tensors));
    expect(inventory.refused).toBeNull();
    // Layers of 26 + 3 · 512 tensors (docs/spec/model.md §1.11), two embeddings, the last norm.
    expect(inventory.tensors).toBe(28 * (26 + 3 * 512) + 3);
    expect(inventory.storedBytes / 1e12).toBeCloseTo(1.12, 2);
    const { meaning } = weightsFinding(inventory, 24 * GIB);
    expect(meaning).toMatch(
      /^all there; needs 104\d\.\d GiB, more than the 24\.0 GiB of this machine and up to 7\.9 GiB of cache/,
    );
    const error = errorOf(() => loadLanguageModel(directory, referenceOps, { memoryBytes: 24 * GIB }));
    expect(error.code).toBe('weights.memory');
    expect(error.message).toMatch(/needs: 104\d\.\d GiB, has: 24\.0 GiB/);
  });

  it('names what is missing, misnamed, wrongly shaped, of another type, or surplus, wherever it lies', () => {
    const tensors = trueTensors().map(tensor => {
      if (tensor.name.endsWith('27.mlp.experts.511.down_proj.weight'))
        return { ...tensor, shape: [6144, 2047] };
      if (tensor.name.endsWith('27.self_attn.1.o_proj.weight')) return { ...tensor, type: 'F8_E4M3' };
      return tensor.name.endsWith('26.mlps.1.up_proj.weight')
        ? { ...tensor, name: tensor.name.replace('up_proj', 'up') }
        : tensor;
    });
    const without = tensors.filter(({ name }) => name !== 'model.norm.weight');
    written([...without, { name: 'model.visitor.weight', shape: [3], type: 'F32' }]);
    const [{ comparison }] = inventoryOf(directory);
    expect(comparison.missing).toEqual([
      'model.norm.weight',
      'model.layers.26.mlps.1.up_proj.weight',
      'model.layers.27.self_attn.1.o_proj.weight_scale_inv',
    ]);
    expect(comparison.misnamed).toEqual([
      {
        found: 'model.layers.26.mlps.1.up.weight',
        wanted: 'model.layers.26.mlps.1.up_proj.weight',
      },
    ]);
    expect(comparison.misshapen).toMatchObject([
      { name: 'model.layers.27.mlp.experts.511.down_proj.weight', found: [6144, 2047] },
    ]);
    expect(comparison.surplus).toEqual(['model.layers.26.mlps.1.up.weight', 'model.visitor.weight']);
    const error = errorOf(() => loadLanguageModel(directory, referenceOps));
    expect([error.code, error.values.missing]).toEqual(['weights.missing', 3]);
  });

  it('may be in fp8 with the scales beside it', () => {
    const quantised = trueTensors().flatMap((tensor): SparseTensor[] => {
      if (tensor.type === 'F32' || tensor.shape.length < 2 || /embed_tokens|lm_head/.test(tensor.name))
        return [tensor];
      const shape = tensor.shape.map(size => Math.ceil(size / 128));
      return [
        { ...tensor, type: 'F8_E4M3' },
        { name: `${tensor.name}_scale_inv`, shape, type: 'F32' },
      ];
    });
    const keys = { quantization_config: { quant_method: 'fp8', weight_block_size: [128, 128] } };
    const [{ refused, comparison }] = inventoryOf(written(quantised, keys));
    expect(refused).toBeNull();
    expect(Object.values(comparison).flat()).toEqual([]);
    writeFileSync(
      join(directory, 'config.json'),
      JSON.stringify({ quantization_config: { quant_method: 'awq' } }),
    );
    expect(errorOf(() => loadLanguageModel(directory, referenceOps)).message).toContain(
      'only fp8 with a scale per block of 128 × 128 is read',
    );
  });
});

describe('a small model', () => {
  const load = (options = {}) => loadLanguageModel(directory, referenceOps, options);

  it('has every tensor of every component, the shipped one too', () => {
    writeSeededCheckpoint(directory, { seed: 1, dimensions: tinyDimensions });
    for (const each of [...inventoryOf(directory), ...inventoryOf('models/nano')]) {
      expect([each.component, each.refused, Object.values(each.comparison).flat()]).toEqual([
        each.component,
        null,
        [],
      ]);
      expect(each.memoryBytes).toBeGreaterThan(0);
    }
  });

  it('is not loaded with fewer layers than its weights have', () => {
    const { languageModel } = tinyDimensions;
    const dimensions = { ...tinyDimensions, languageModel: { ...languageModel, num_layers: 2 } };
    writeSeededCheckpoint(directory, { seed: 1, dimensions });
    expect(load().config.layers).toBe(2);
    writeFileSync(join(directory, 'config.json'), JSON.stringify({ ...languageModel, num_layers: 1 }));
    const error = errorOf(load);
    expect([error.code, error.values.num_layers]).toEqual(['weights.surplus', 1]);
    expect(String(error.values.tensor)).toMatch(/^model\.layers\.1\./);
  });

  it('is refused where the memory is too small, with what it needs and what there is', () => {
    writeSeededCheckpoint(directory, { seed: 1, dimensions: tinyDimensions });
    expect(errorOf(() => load({ memoryBytes: 10_000 })).code).toBe('weights.memory');
  });
});
