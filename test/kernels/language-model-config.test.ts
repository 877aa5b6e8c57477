import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  forwardIds,
  type LanguageModel,
  loadLanguageModel,
  modelSize,
  parseLanguageModelConfig,
} from '../../kernels/components/language-model/index.ts';
import { textPositions } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';
import {
  createWeight,
  openWeightDirectory,
  type Weight,
  writeSafetensors,
} from '../../kernels/weights/index.ts';

const FIXTURE = 'test/fixtures/language-model/f32';

describe('the full-size configuration', () => {
  // The figures of docs/spec/model.md §0.2 and §1.5.
  const config = parseLanguageModelConfig();

  it('has 560.66 billion parameters, of which 18.7, 27.15 and 31.4 are active with 0, 8 and 12 experts', () => {
    expect(modelSize(config).parameters / 1e9).toBeCloseTo(560.66, 2);
    expect(modelSize(config, 0).activated / 1e9).toBeCloseTo(18.7, 1);
    expect(modelSize(config, 8).activated / 1e9).toBeCloseTo(27.15, 2);
    expect(modelSize(config, 12).activated / 1e9).toBeCloseTo(31.4, 1);
  });

  it('caches 64,512 bytes per token', () => {
    expect(modelSize(config).cacheBytesPerPosition).toBe(64_512);
  });

  it('norms with 1e-5 outside and 1e-6 inside the attention', () => {
    expect([config.normEpsilon, config.latentNormEpsilon]).toEqual([1e-5, 1e-6]);
  });

  it('scales the latents by 2 and 3.4641016', () => {
    expect(config.queryScale).toBe(2);
    expect(config.latentScale).toBeCloseTo(3.4641016, 7);
  });
});

describe('a model directory', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'language-model-'));
    cpSync(FIXTURE, directory, { recursive: true });
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  function change(keys: Record<string, unknown>): void {
    const path = join(directory, 'config.json');
    const config = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...config, ...keys }));
  }

  function rewrite(edit: (weights: Map<string, Weight>) => void): void {
    const source = openWeightDirectory(directory);
    const weights = new Map(source.names().map(name => [name, source.tensor(name, source.shapeOf(name))]));
    source.close();
    edit(weights);
    writeSafetensors(join(directory, 'model.safetensors'), weights.values());
  }

  const load = () => loadLanguageModel(directory, referenceOps);
  const prompt = textPositions([20, 90, 7, 33]);
  const logits = (model: LanguageModel) => model.forward(model.open(), prompt);

  function errorOf(run: () => unknown): RuntimeError | null {
    try {
      run();
    } catch (error) {
      if (error instanceof RuntimeError) return error;
      throw error;
    }
    return null;
  }

  it.each<[string, Record<string, unknown>, string]>([
    ['scaled rotary positions', { rope_scaling: { type: 'yarn', factor: 4 } }, 'rope_scaling'],
    ['quantised weights', { quantization_config: { quant_method: 'fp8' } }, 'quantization_config'],
    ['another activation', { hidden_act: 'gelu' }, 'hidden_act'],
    ['renormalised routing', { norm_topk_prob: true }, 'norm_topk_prob'],
    ['copying identity experts', { zero_expert_type: 'copy' }, 'zero_expert_type'],
    ['a negative size', { hidden_size: -4 }, 'hidden_size'],
    ['an absurd size', { num_layers: 1e12 }, 'num_layers'],
    ['an odd rotary width', { qk_rope_head_dim: 3 }, 'qk_rope_head_dim'],
    ['another head_dim than the rotary width', { head_dim: 64 }, 'head_dim'],
    ['more choices than experts', { moe_topk: 10 }, 'moe_topk'],
  ])('is refused for %s, naming the key', (_, keys, named) => {
    change(keys);
    const error = errorOf(load);
    expect(error?.code).toBe('config.invalid');
    expect(error?.message).toContain(named);
  });

  it('is refused when configuration and weights disagree, naming file and tensor', () => {
    change({ ffn_hidden_size: 44 });
    const error = errorOf(load);
    expect(error?.code).toBe('weights.shape');
    expect(error?.message).toMatch(/model\.safetensors.*model\.layers\.0\.mlps\.0\.gate_proj\.weight/);
  });

  it('may have keys nobody knows', () => {
    const before = logits(load());
    change({ transformers_version: '5.0', auto_map: {}, rope_parameters: { rope_type: 'default' } });
    expect(logits(load())).toEqual(before);
  });

  it('may tie its embeddings', () => {
    rewrite(weights =>
      weights.set('lm_head.weight', rename(weights.get('model.embed_tokens.weight'), 'lm_head.weight')),
    );
    const before = logits(load());
    change({ tie_word_embeddings: true });
    rewrite(weights => weights.delete('lm_head.weight'));
    expect(logits(load())).toEqual(before);
  });

  it('may hold its experts fused, rows of identity experts included', () => {
    const before = logits(load());
    rewrite(weights => {
      for (const layer of [0, 1]) fuseExperts(weights, `model.layers.${layer}.mlp.experts`);
    });
    expect(logits(load())).toEqual(before);
  });

  it('answers forward with a row per position, the routing, and a greedy continuation', () => {
    const ids = [20, 90, 7, 33];
    const result = forwardIds(directory, ids, { generate: 3, ops: referenceOps });
    expect(result.logits.map(row => row.length)).toEqual([152, 152, 152, 152]);
    expect(result.router.map(({ indices }) => indices.length)).toEqual([4, 4]);
    expect(result.generatedLogits[0]).toEqual(result.logits[3]);
    // Greedy by definition: each id is the arg-max of a fresh forward over everything before it.
    result.generated.forEach((id, k) => {
      const fresh = forwardIds(directory, [...ids, ...result.generated.slice(0, k)], { ops: referenceOps });
      const last = fresh.logits[fresh.logits.length - 1];
      expect(last.indexOf(Math.max(...last))).toBe(id);
      expect(result.generatedLogits[k]).toEqual(last);
    });
    expect(result.generated).toHaveLength(3);
  });
});

function rename(weight: Weight | undefined, name: string): Weight {
  if (!weight) throw new Error(`no ${name}`);
  return createWeight(name, weight.shape, weight.dtype, weight.data);
}

/** Six experts of [12 × 24] and three identity rows, as newer exports write them (docs/spec/model.md §1.11). */
function fuseExperts(weights: Map<string, Weight>, prefix: string): void {
  const size = 12 * 24;
  const gateUp = new Float32Array(9 * 2 * size).fill(Number.NaN);
  const down = new Float32Array(6 * size);
  for (let e = 0; e < 6; e++) {
    const take = (part: string) => {
      const name = `${prefix}.${e}.${part}.weight`;
      const weight = weights.get(name) as Weight;
      weights.delete(name);
      return weight.toFloat32();
    };
    gateUp.set(take('gate_proj'), 2 * e * size);
    gateUp.set(take('up_proj'), (2 * e + 1) * size);
    down.set(take('down_proj'), e * size);
  }
  weights.set(`${prefix}.gate_up_proj`, createWeight(`${prefix}.gate_up_proj`, [9, 24, 24], 'f32', gateUp));
  weights.set(`${prefix}.down_proj`, createWeight(`${prefix}.down_proj`, [6, 24, 12], 'f32', down));
}
