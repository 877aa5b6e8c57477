import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeSeededCheckpoint } from '../kernels/checkpoint/index.ts';
import { RuntimeError } from '../kernels/errors.ts';
import { PACKAGE_ROOT } from '../kernels/package-root.ts';

const SHIPPED_MODEL = 'models/nano';

export interface ModelDirectory {
  readonly path: string;
  /** Random weights: the pipeline runs, what it says means nothing. */
  readonly seeded: boolean;
}

/**
 * The directory to load. The shipped model is found beside the sources whatever the working directory; as long as it
 * holds no weights, a seeded checkpoint of the same shape is written once under .cache/ and used instead.
 *
 * @throws RuntimeError `model.missing`
 */
export function resolveModelDirectory(model: string, seed: number): ModelDirectory {
  const path = model === SHIPPED_MODEL ? join(PACKAGE_ROOT, SHIPPED_MODEL) : model;
  if (existsSync(join(path, 'config.json'))) return { path, seeded: false };
  if (model !== SHIPPED_MODEL) {
    throw new RuntimeError(
      'model.missing',
      'No config.json in the model directory.',
      { model },
      'Give a directory in the Hugging Face layout.',
    );
  }
  const cached = join(PACKAGE_ROOT, '.cache', `nano-seed-${seed}`);
  if (!existsSync(join(cached, 'config.json'))) writeSeededCheckpoint(cached, { seed });
  return { path: cached, seeded: true };
}
