/**
 * One meaning a name: of two types that share one, a reader who finds the first thinks of it at the second
 * (ARCHITECTURE.md §2).
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const ROOMS = ['actors', 'kernels', 'protocols', 'sim', 'cli'];

/** Names that may stand in several files, and why. */
const SHARED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['ClientEvent', 'ClientEventType', 'Outbox', 'ParsedEvent', 'SessionFields'].map(name => [
      name,
      'the same part of two protocols, in a folder each (realtime/, live/) that the other does not import',
    ]),
  ),
  Codes: 'the four codes of one code frame in all three',
};

const DECLARED = /^(export )?(?:declare )?(?:abstract )?(?:type|class|interface|enum) (\w+)/gm;

/** Types and classes by name, those that a file keeps to itself too. */
function declarations(): Map<string, { readonly path: string; readonly isExported: boolean }[]> {
  const globs = ROOMS.map(room => `${room}/*.ts`);
  const listed = execFileSync('git', ['ls-files', '--', ...globs], { encoding: 'utf8' })
    .trim()
    .split('\n');
  const byName = new Map<string, { path: string; isExported: boolean }[]>();
  for (const path of listed.filter(existsSync))
    for (const [, exported, name] of readFileSync(path, 'utf8').matchAll(DECLARED)) {
      if (!byName.has(name)) byName.set(name, []);
      byName.get(name)!.push({ path, isExported: exported !== undefined });
    }
  return byName;
}

it('gives the name of an exported type to no other, in whatever file', () => {
  const byName = declarations();
  expect(byName.size).toBeGreaterThan(1000);
  const found = [...byName]
    .filter(([, all]) => all.length > 1 && all.some(({ isExported }) => isExported))
    .map(([name, all]) => [name, all.map(({ path }) => path)] as const);
  const unwanted = found.filter(([name]) => !Object.hasOwn(SHARED, name));
  expect(Object.fromEntries(unwanted)).toEqual({});
  // What is allowed and not needed any more.
  const names = new Set(found.map(([name]) => name));
  expect(Object.keys(SHARED).filter(name => !names.has(name))).toEqual([]);
});
