import { describe, expect, it } from 'vitest';
import { compiledOps, nativeOps } from '../../kernels/native/native-ops.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';
import { addonsOfAllLevels } from './native-levels.ts';
import { compareOnCase } from './parity.ts';
import { parityCases } from './parity-cases.ts';

const addons = addonsOfAllLevels();
const operations = [...new Set(parityCases.map(({ op }) => op))];

describe.skipIf(addons.length === 0)('native kernels against the reference', () => {
  it('covers every operation that has a kernel', () => {
    expect(operations.toSorted()).toEqual(Object.keys(compiledOps(addons[0])).toSorted());
  });

  for (const addon of addons) {
    const ops = nativeOps(addon);
    for (const op of operations) {
      it(`${addon.level}: ${op} stays within its bound and its memory`, () => {
        const problems = parityCases
          .filter(parityCase => parityCase.op === op)
          .flatMap((parityCase, seed) => {
            const { problem } = compareOnCase(parityCase, referenceOps, ops, seed + 1);
            return problem ? [`${parityCase.label}: ${problem}`] : [];
          });
        expect(problems).toEqual([]);
      });
    }
  }
});
