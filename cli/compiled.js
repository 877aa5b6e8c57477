import { existsSync, readdirSync, statSync } from 'node:fs';

const SOURCES = ['actors', 'cli', 'kernels', 'protocols', 'sim'];

/**
 * Whether dist/ is what the sources compile to: there are none (an installed package), or none was written, added or
 * removed since.
 *
 * @param {string} root with a separator at its end
 */
export function isCompiled(root) {
  if (!existsSync(`${root}dist/.built`)) return false;
  if (!existsSync(`${root}cli/main.ts`)) return true;
  const builtAtMs = statSync(`${root}dist/.built`).mtimeMs;
  return !SOURCES.some(folder => changedSince(`${root}${folder}`, builtAtMs));
}

function changedSince(folder, timeMs) {
  if (statSync(folder).mtimeMs > timeMs) return true;
  return readdirSync(folder, { withFileTypes: true }).some(entry => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name !== 'build' && changedSince(path, timeMs);
    return entry.name.endsWith('.ts') && statSync(path).mtimeMs > timeMs;
  });
}
