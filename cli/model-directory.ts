import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeSeededCheckpoint } from '../kernels/checkpoint/index.ts';
import { RuntimeError } from '../kernels/errors.ts';
import { PACKAGE_ROOT } from '../kernels/package-root.ts';

const SHIPPED_MODEL = 'models/nano';

export interface ModelDirectory {
  readonly path: string;
  /** Random weights: the pipeline runs, what it says means nothing. */
  readonly seeded: boolean;
}

/** Where a model lies: the shipped one is found beside the code, whatever the working directory. */
export function modelPath(model: string): string {
  return model === SHIPPED_MODEL ? join(PACKAGE_ROOT, SHIPPED_MODEL) : model;
}

/** Where the random model of the shipped shape lies, once it was written; null for models that must be there. */
export function seededPath(model: string, seed: number): string | null {
  return model === SHIPPED_MODEL ? join(PACKAGE_ROOT, '.cache', `nano-seed-${seed}`) : null;
}

/**
 * The directory to load. The shipped model is found beside the sources whatever the working directory; as long as it
 * holds no weights, a seeded checkpoint of the same shape is written once under .cache/ and used instead.
 *
 * @throws RuntimeError `model.missing`
 */
export function resolveModelDirectory(model: string, seed: number): ModelDirectory {
  const path = modelPath(model);
  if (existsSync(join(path, 'config.json'))) return { path, seeded: false };
  const cached = seededPath(model, seed);
  if (cached === null) {
    throw new RuntimeError(
      'model.missing',
      'No config.json in the model directory.',
      { model, folder: resolve(model) },
      'Give a directory in the Hugging Face layout.',
    );
  }
  if (!existsSync(join(cached, 'config.json'))) writeSeededCheckpoint(cached, { seed });
  return { path: cached, seeded: true };
}
