import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { indexOfLargest } from '../../cli/forward/largest.ts';

/** Entries of the full vocabulary (docs/spec/model.md §1.1): more than a call may have arguments. */
const VOCABULARY = 131_072;

const withoutComments = (file: string) => readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');

describe('the largest of a row', () => {
  it('is found in rows of the full vocabulary', () => {
    const row = new Float32Array(VOCABULARY).fill(-1);
    row[VOCABULARY - 2] = 3;
    expect(indexOfLargest(row)).toBe(VOCABULARY - 2);
    expect(indexOfLargest([2, 5, 5])).toBe(1);
    expect(indexOfLargest([])).toBe(-1);
  });

  it('is nowhere in these rooms asked of a call with an argument per value of a row', () => {
    const rooms = ['cli/commands', 'cli/eval', 'cli/forward', 'kernels'];
    const files = rooms.flatMap(room =>
      readdirSync(room, { recursive: true }).map(name => join(room, String(name))),
    );
    // `Math.max(...row)`; a spread of something mapped or listed at hand says what it is made of.
    const spread = /Math\.(?:max|min)\(\.\.\.[\w.#]+\)/;
    const found = files.filter(file => file.endsWith('.ts') && spread.test(withoutComments(file)));
    expect(found).toEqual([]);
  });
});
