import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type LanguageModel, loadLanguageModel } from '../../kernels/components/language-model/index.ts';
import { describeModel } from '../../kernels/engine/describe-model.ts';
import { type SamplingRequest, textPositions } from '../../kernels/engine/index.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';
import { openWeightFile } from '../../kernels/weights/index.ts';

const CASE = 'test/fixtures/language-model/f32';

function withWaitToken(wait: number): string {
  const directory = mkdtempSync(join(tmpdir(), 'longcat-rt-wait-'));
  cpSync(CASE, directory, { recursive: true });
  const path = join(directory, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...config, wait_token_id: wait }));
  return directory;
}

function prompt() {
  const file = openWeightFile(`${CASE}/case.safetensors`);
  const ids = file.integers('input.text_ids', file.shapeOf('input.text_ids'));
  const [rows, vocabulary] = file.shapeOf('output.logits');
  return {
    positions: textPositions(ids),
    last: file.floats('output.logits', [rows, vocabulary]).slice(-vocabulary),
  };
}

const REQUEST: SamplingRequest = {
  textHistory: new Int32Array(0),
  codeHistories: [0, 1, 2, 3].map(() => new Int32Array(0)),
  temperature: 1,
  topK: 1,
  topP: 1,
  repetitionPenalty: 1,
  draw: 0,
  speech: false,
  wantsWait: true,
};

function sample(model: LanguageModel, request = REQUEST) {
  const sequence = model.open();
  return model.step([{ sequence, positions: prompt().positions, sample: request }])[0]?.sampled;
}

describe('the wait token', () => {
  it('has the probability of the softmax over PyTorch’s logits, and is never said', () => {
    const { last } = prompt();
    const likeliest = last.indexOf(Math.max(...last));
    const model = loadLanguageModel(withWaitToken(likeliest), referenceOps);
    const sampled = sample(model);
    const sum = last.reduce((total, logit) => total + Math.exp(logit), 0);
    expect(sampled?.waitProbability).toBeCloseTo(Math.exp(last[likeliest]) / sum, 5);
    const others = last.map((logit, id) => (id === likeliest ? -Infinity : logit));
    expect(sampled?.text).toBe(others.indexOf(Math.max(...others)));
  });

  it('is told only where it is asked for', () => {
    const model = loadLanguageModel(withWaitToken(5), referenceOps);
    expect(sample(model, { ...REQUEST, wantsWait: false })).not.toHaveProperty('waitProbability');
  });

  it('is null in a model without one', () => {
    expect(sample(loadLanguageModel(CASE, referenceOps))?.waitProbability).toBeNull();
    expect(describeModel(CASE).tokens.wait).toBeNull();
  });

  it('must be in the vocabulary', () => {
    expect(() => loadLanguageModel(withWaitToken(1_000_000), referenceOps)).toThrow(
      expect.objectContaining({
        code: 'config.invalid',
        values: expect.objectContaining({ wait_token_id: 1_000_000 }),
      }),
    );
  });
});
