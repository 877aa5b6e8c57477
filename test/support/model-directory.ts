import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { createWeight, openWeightFile, type Weight, writeSafetensors } from '../../kernels/weights/index.ts';

const made: string[] = [];

afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true });
});

/** A copy of a model directory that a test may spoil; removed after the test. */
export function copyOf(directory: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'longcat-rt-'));
  made.push(copy);
  cpSync(directory, copy, { recursive: true });
  return copy;
}

/** Changes a JSON file in place. */
export function editJson(path: string, edit: (content: Record<string, unknown>) => void): void {
  const content = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  edit(content);
  writeFileSync(path, JSON.stringify(content));
}

/** Rewrites a weight file without the tensors whose names begin with `prefix`. */
export function dropTensors(path: string, prefix: string): void {
  rewrite(path, weight => (weight.name.startsWith(prefix) ? null : weight));
}

/** Rewrites a weight file with one tensor replaced. */
export function replaceTensor(
  path: string,
  name: string,
  shape: readonly number[],
  data: Float32Array,
): void {
  rewrite(path, weight => (weight.name === name ? createWeight(name, shape, 'f32', data) : weight));
}

function rewrite(path: string, change: (weight: Weight) => Weight | null): void {
  const file = openWeightFile(path);
  const weights = file.names().map(name => change(file.tensor(name, file.shapeOf(name))));
  file.close();
  writeSafetensors(
    path,
    weights.filter(weight => weight !== null),
  );
}
