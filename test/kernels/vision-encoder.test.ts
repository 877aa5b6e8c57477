import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import {
  type FrameUnit,
  loadVisionEncoder,
  readVisionConfig,
} from '../../kernels/components/vision-encoder/index.ts';
import { nativeResolution } from '../../kernels/components/vision-encoder/resize-rule.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';
import { openWeightFile, type Weights } from '../../kernels/weights/index.ts';

const fixtures = new URL('../fixtures/', import.meta.url);
const scratch = mkdtempSync(join(tmpdir(), 'longcat-rt-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A model directory with this configuration of the vision encoder. */
function configured(json: unknown): string {
  mkdirSync(join(scratch, 'vision'), { recursive: true });
  writeFileSync(join(scratch, 'vision', 'config.json'), JSON.stringify(json));
  return scratch;
}

function open(name: string) {
  const folder = fileURLToPath(new URL(`vision-encoder/${name}/`, fixtures));
  const tensors = openWeightFile(`${folder}case.safetensors`);
  const frames = tensors
    .names()
    .filter(tensor => tensor.startsWith('input.rgb.'))
    .sort()
    .map(tensor => picture(tensors, tensor));
  return {
    encoder: loadVisionEncoder(referenceOps, folder),
    unit: frames as unknown as FrameUnit,
    floats: (tensor: string) => tensors.floats(tensor, tensors.shapeOf(tensor)),
    integers: (tensor: string) => tensors.integers(tensor, tensors.shapeOf(tensor)),
  };
}

function picture(tensors: Weights, name: string) {
  const [height, width] = tensors.shapeOf(name);
  return { width, height, data: Uint8Array.from(tensors.integers(name, [height, width, 3])) };
}

function largestDifference(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  return actual.reduce((worst, value, i) => Math.max(worst, Math.abs(value - expected[i])), 0);
}

test.each(['still', 'pair', 'enlarged-tall'])('%s: every stage equals the PyTorch reference', name => {
  const { encoder, unit, floats, integers } = open(name);
  const out = encoder.encode(unit);
  expect([...out.patchGrid]).toEqual([...integers('output.grid')]);
  expect(out.tokenGrid).toEqual([out.patchGrid[0], out.patchGrid[1] / 2]);
  expect(largestDifference(out.vision, floats('output.vision'))).toBeLessThan(2e-5);
  expect(largestDifference(out.projector, floats('output.projector'))).toBeLessThan(2e-5);
});

test.each(['still', 'pair', 'enlarged-tall'])('%s: resized pixels and interpolation equal theirs', name => {
  const { encoder, unit, floats, integers } = open(name);
  const { patchGrid, tokenGrid, projector } = encoder.encode(unit);
  const [height, width] = patchGrid.map(side => side * encoder.config.patch);
  unit.forEach((frame, i) => {
    const out = referenceOps.resizeBicubic(frame.data, frame.width, frame.height, 3, width, height);
    expect(Int32Array.from(out)).toEqual(integers(`output.resized.${i}`));
  });
  const [rows, columns] = integers('output.interpolated_grid');
  const resized = referenceOps.resizeBilinear(projector, ...tokenGrid, encoder.config.output, rows, columns);
  expect(largestDifference(resized, floats('output.interpolated'))).toBeLessThan(2e-5);
});

test('a still image equals a pair of the same picture', () => {
  const { encoder, unit } = open('still');
  expect(encoder.encode([unit[0], unit[0]]).projector).toEqual(encoder.encode(unit).projector);
});

test('no unit exceeds its token bound, and a bound above its size changes nothing', () => {
  const { encoder, unit } = open('pair');
  const free = encoder.encode(unit);
  const tokens = free.tokenGrid[0] * free.tokenGrid[1];
  expect(tokens).toBeGreaterThan(4);
  for (let bound = 4; bound <= tokens + 1; bound++) {
    const out = encoder.encode(unit, bound);
    const count = out.tokenGrid[0] * out.tokenGrid[1];
    expect(count).toBeLessThanOrEqual(bound);
    expect(out.projector.length).toBe(count * encoder.config.output);
  }
  expect(encoder.encode(unit, tokens).projector).toEqual(free.projector);
});

test('a batch answers each unit as if it were alone', () => {
  const { encoder, unit } = open('pair');
  const still: FrameUnit = [unit[0]];
  const answers = encoder.step([
    { frames: unit, maxTokens: 0 },
    { frames: still, maxTokens: 4 },
  ]);
  expect(answers.map(answer => answer.vectors)).toEqual([
    encoder.encode(unit).projector,
    encoder.encode(still, 4).projector,
  ]);
  expect(answers[1]).toMatchObject({ count: 4, grid: [2, 2] });
});

test('pictures that are not what they claim, and impossible bounds, are refused', () => {
  const { encoder, unit } = open('still');
  const short = { ...unit[0], data: unit[0].data.subarray(1) };
  expect(() => encoder.encode([short])).toThrow(expect.objectContaining({ code: 'vision.picture' }));
  expect(() => encoder.encode([{ width: 0, height: 4, data: new Uint8Array() }])).toThrow(/width: 0/);
  expect(() => encoder.encode(unit, 3)).toThrow(expect.objectContaining({ code: 'vision.max-tokens' }));
});

test('missing configuration keys take the values of the full-size model', () => {
  const config = readVisionConfig(configured({ unknown_key: 1 }));
  expect(config).toMatchObject({
    hidden: 1280,
    layers: 32,
    headDim: 80,
    intermediate: 3456,
    resizePixels: 112,
  });
  expect(config).toMatchObject({ still: { min: 576, max: 5832 }, adaptor: 7168, output: 6144 });
});

test('a configuration of another architecture is refused with the key', () => {
  const parse = (json: unknown) => () => readVisionConfig(configured(json));
  expect(parse({ spatial_merge_size: 2 })).toThrow(/spatial_merge_size/);
  expect(parse({ hidden_size: 90, num_attention_heads: 4 })).toThrow(/num_attention_heads/);
  expect(parse(null)).toThrow(expect.objectContaining({ code: 'config.invalid' }));
});

test('the resize rule equals a second writing of it on 630 sizes', () => {
  const table: number[][] = JSON.parse(
    readFileSync(new URL('vision-ops/resize-rule.json', fixtures), 'utf8'),
  );
  expect(table.length).toBe(630);
  for (const [height, width, factor, minPixels, maxPixels, h, w] of table) {
    const size = nativeResolution({ height, width }, { factor, minPixels, maxPixels, patch: 14 });
    expect([height, width, factor, size]).toEqual([height, width, factor, { height: h, width: w }]);
  }
});
