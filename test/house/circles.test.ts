/** Imports point one way: no file reaches itself through what it imports, types included. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOMS = ['actors', 'bench', 'cli', 'kernels', 'protocols', 'sim', 'web'];

/** The relative imports of each file, those within comments left out. */
function importsOf(paths: readonly string[], text: (path: string) => string): Map<string, string[]> {
  return new Map(
    paths.map(path => [
      path,
      [
        ...text(path)
          .replace(/\/\*[\s\S]*?\*\//g, '')
          .matchAll(/(?:^|[\s;])(?:import|export)\b[^'"`;]*['"](\.[^'"]+)['"]/g),
      ].map(([, to]) => join(dirname(path), to)),
    ]),
  );
}

/** One circle of each group of files that can reach each other. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) found.push([...way.slice(way.indexOf(path)), path].join(' → '));
    else if (!done.has(path)) {
      for (const next of graph.get(path) ?? []) walk(next, [...way, path]);
      done.add(path);
    }
  };
  for (const path of graph.keys()) walk(path, []);
  return found;
}

describe('imports', () => {
  it('run in no circle', () => {
    const paths = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...ROOMS], {
      encoding: 'utf8',
    })
      .split('\n')
      .filter(path => /\.(ts|js)$/.test(path) && !path.endsWith('.d.ts'));
    const texts = new Map<string, string>();
    for (const path of paths) {
      try {
        texts.set(path, readFileSync(path, 'utf8'));
      } catch {
        // Deleted in the working tree, not yet in the index.
      }
    }
    const graph = importsOf([...texts.keys()], path => texts.get(path)!);
    expect([...graph.values()].flat().length).toBeGreaterThan(1000);
    expect(circles(graph)).toEqual([]);
  });

  it('would be seen to run in one', () => {
    const texts: Record<string, string> = {
      'a.ts': "import { b } from './b.ts';",
      'b.ts': "import {\n  type C,\n  c,\n} from './rooms/c.ts';",
      'rooms/c.ts': "export * from '../a.ts';",
      'd.ts': "import './a.ts';",
    };
    expect(circles(importsOf(Object.keys(texts), path => texts[path]))).toEqual([
      'a.ts → b.ts → rooms/c.ts → a.ts',
    ]);
  });
});
