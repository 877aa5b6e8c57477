import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder with small shell scripts in the place of programs; the PATH of whoever should find nothing else. */
export function fakePrograms(scripts: Readonly<Record<string, string>>): { folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'longcat-rt-programs-'));
  for (const [name, script] of Object.entries(scripts))
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Runs the action on a machine that has these programs and no others. */
export async function withPrograms<T>(
  scripts: Readonly<Record<string, string>>,
  action: () => Promise<T>,
): Promise<T> {
  const before = process.env.PATH;
  const { folder, remove } = fakePrograms(scripts);
  process.env.PATH = folder;
  try {
    return await action();
  } finally {
    process.env.PATH = before;
    remove();
  }
}
