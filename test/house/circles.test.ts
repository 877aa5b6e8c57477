/**
 * Imports point one way: no file reaches itself through what it imports, types included. And what is loaded once a
 * thread is small.
 */
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

/** Packages that the code of these files loads, types left out, with all that they import. */
function packagesOf(paths: readonly string[], text: (path: string) => string): string[] {
  const [seen, packages] = [new Set<string>(), new Set<string>()];
  const walk = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const [, what, from] of text(path).matchAll(IMPORTED)) {
      if (what.trim().startsWith('type ')) continue;
      if (from.startsWith('.')) walk(join(dirname(path), from));
      else if (!from.startsWith('node:')) packages.add(from);
    }
  };
  for (const path of paths) walk(path);
  return [...packages];
}

const IMPORTED = /^(?:import|export)\b([^'"`;=(]*)\bfrom\s+['"]([^'"]+)['"]/gm;

describe('a component in a thread of its own', () => {
  const read = (path: string) => readFileSync(path, 'utf8');

  it('loads no library: one costs megabytes, times the threads', () => {
    const services = execFileSync('git', ['ls-files', 'kernels/engine/services'], { encoding: 'utf8' });
    const paths = ['kernels/engine/worker.ts', ...services.trim().split('\n')];
    expect(paths.length).toBeGreaterThan(5);
    expect(packagesOf(paths, read)).toEqual([]);
    expect(packagesOf(['kernels/engine/create-engine.ts'], read)).toContain('zod');
  });
});

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
