import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The folder of package.json, with a separator at its end: what is shipped beside the code (weights, page, scenarios,
 * the native addon) is found from here, whether the sources run or what they were compiled to.
 */
export const PACKAGE_ROOT: string = join(rootAbove(dirname(fileURLToPath(import.meta.url))), '/');

/** The miniature that is shipped. */
export const NANO_DIRECTORY: string = join(PACKAGE_ROOT, 'models/nano');

function rootAbove(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const above = dirname(folder);
  if (above === folder) throw new Error('longcat-rt: no package.json above the code');
  return rootAbove(above);
}
