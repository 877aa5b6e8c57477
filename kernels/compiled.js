import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';

const FOLDERS = ['actors', 'cli', 'kernels', 'protocols', 'sim'];

/**
 * The sources that there are, one a line. Folders have times of their own, but a kernel that is compiled beside its
 * source changes them too.
 *
 * @param {string} root with a separator at its end
 */
export function sourcesOf(root) {
  return FOLDERS.flatMap(folder => sourcesIn(root, folder)).join('\n');
}

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
  const sources = sourcesOf(root);
  if (sources !== readFileSync(`${root}dist/.built`, 'utf8')) return false;
  return !sources.split('\n').some(path => statSync(`${root}${path}`).mtimeMs > builtAtMs);
}

function sourcesIn(root, folder) {
  return readdirSync(`${root}${folder}`, { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'build' ? [] : sourcesIn(root, path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}
