import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';

const SOURCES = ['actors', 'cli', 'kernels', 'protocols', 'sim'];

/**
 * Whether dist/ is what the sources compile to: there are none (an installed package), or none was written, added or removed since.
 *
 * @param {string} root with a separator at its end
 */
export function isCompiled(root) {
  if (!existsSync(`${root}dist/built.json`)) return false;
  if (!existsSync(`${root}cli/main.ts`)) return true;
  const { startedAtMs } = JSON.parse(readFileSync(`${root}dist/built.json`, 'utf8'));
  return !SOURCES.some(folder => changedSince(`${root}${folder}`, startedAtMs));
}

function changedSince(folder, timeMs) {
  if (statSync(folder).mtimeMs > timeMs) return true;
  return readdirSync(folder, { withFileTypes: true }).some(entry => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name !== 'build' && changedSince(path, timeMs);
    return entry.name.endsWith('.ts') && statSync(path).mtimeMs > timeMs;
  });
}
