/** Runs that train/parallel/measure.py wrote: docs/training-parallelism.json, -2.json and so on. */
import { existsSync, readFileSync } from 'node:fs';
import { PACKAGE_ROOT } from '../../kernels/package-root.ts';
import { type Measured, measuredSchema } from '../../sim/training/index.ts';

const MOST_RUNS = 16;

export function measuredRuns(): Measured[] {
  const runs: Measured[] = [];
  for (let number = 1; number <= MOST_RUNS; number++) {
    const file = `${PACKAGE_ROOT}docs/training-parallelism${number === 1 ? '' : `-${number}`}.json`;
    if (!existsSync(file)) break;
    runs.push(measuredSchema.parse(JSON.parse(readFileSync(file, 'utf8'))));
  }
  return runs;
}
